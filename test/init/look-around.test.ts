import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lookAround } from "../../src/init/look-around.js";
import { makeScratch, PROVIDER, ROLE, runtimeIn, type Scratch } from "./scratch.js";

let scratch: Scratch;
beforeEach(() => {
  scratch = makeScratch();
});
afterEach(() => scratch.remove());

const look = (env: Readonly<Record<string, string>> = {}, below = "") =>
  lookAround(runtimeIn(`${scratch.dir}${below}`, { env: { HOME: `${scratch.dir}/home`, ...env } }));

const remote = (url: string) => `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${url}\n\tfetch = +refs\n`;

describe("the working copy", () => {
  test("none: the working directory", () => {
    expect(look()).toMatchObject({ root: scratch.dir, isRepository: false, branch: "main", values: {}, clouds: [] });
    expect(look()).not.toHaveProperty("ci");
  });

  test("from a directory inside it, with the branch that others are merged into", () => {
    scratch.put(".git/HEAD", "ref: refs/heads/topic\n");
    scratch.put(".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/trunk\n");
    scratch.put("deep/down/file", "");
    expect(look({}, "/deep/down")).toMatchObject({ root: scratch.dir, isRepository: true, branch: "trunk" });
  });

  test("a linked one", () => {
    scratch.put("main/.git/config", remote("git@github.com:acme/site.git"));
    scratch.put("main/.git/HEAD", "ref: refs/heads/main\n");
    scratch.put("main/.git/worktrees/other/commondir", "../..\n");
    scratch.put("other/.git", "gitdir: ../main/.git/worktrees/other\n");
    expect(look({}, "/other")).toMatchObject({ root: `${scratch.dir}/other`, ci: "github" });
  });

  test("a branch whose name is not fit for a CI job", () => {
    scratch.put(".git/HEAD", 'ref: refs/heads/a"b$(c)\n');
    expect(look().branch).toBe("main");
  });
});

describe("the CI", () => {
  test.each([
    { name: "GitHub's, by its directory", files: { ".github/CODEOWNERS": "" }, want: "github" },
    { name: "GitLab's, by its file", files: { ".gitlab-ci.yml": "" }, want: "gitlab" },
    { name: "by https", files: { ".git/config": remote("https://me@github.com/acme/site") }, want: "github" },
    { name: "by ssh", files: { ".git/config": remote("ssh://git@gitlab.example.org:22/a/b.git") }, want: "gitlab" },
    { name: "by scp's form", files: { ".git/config": remote("git@gitlab.com:acme/site.git") }, want: "gitlab" },
    {
      name: "a file goes before the remote",
      files: { ".gitlab-ci.yml": "", ".git/config": remote("git@github.com:a/b") },
      want: "gitlab",
    },
    { name: "of no known host", files: { ".git/config": remote("git@git.example.org:a/b") }, want: undefined },
    {
      name: "by no host that only looks like it",
      files: { ".git/config": remote("git@notgithub.com:a/b") },
      want: undefined,
    },
  ])("$name", ({ files, want }) => {
    for (const [name, text] of Object.entries(files)) scratch.put(name, text);
    expect(look().ci).toBe(want);
  });

  test("by the job that this is", () => {
    expect(look({ GITLAB_CI: "true" }).ci).toBe("gitlab");
  });
});

describe("what the clouds' tools have been told", () => {
  test("AWS: the region and the one account of ~/.aws/config; the credentials are not opened", () => {
    scratch.put("home/.aws/config", "[default]\nregion = eu-west-1\n\n[profile a]\nsso_account_id=111122223333\n");
    scratch.put("home/.aws/credentials", "[default]\nregion = us-east-2\n");
    expect(look()).toMatchObject({ clouds: ["aws"], values: { region: "eu-west-1", role_arn: ROLE } });
  });

  test("AWS: of two accounts the chosen profile's, else none", () => {
    const account = (name: string, id: string) => `[profile ${name}]\nrole_arn = arn:aws:iam::${id}:role/x\n`;
    scratch.put("home/.aws/config", account("a", "111122223333") + account("b", "444455556666"));
    expect(look().values).toEqual({});
    expect(look({ AWS_PROFILE: "b" }).values["role_arn"]).toContain("444455556666");
  });

  test("Azure: the default subscription and its tenant", () => {
    const ids = { id: "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", tenantId: "aaaabbbb-0000-cccc-1111-dddd2222eeee" };
    const subscriptions = [
      { id: "x", isDefault: false },
      { ...ids, isDefault: true },
    ];
    scratch.put("home/.azure/azureProfile.json", `\ufeff${JSON.stringify({ subscriptions })}`);
    expect(look()).toMatchObject({ clouds: ["azure"], values: { tenant_id: ids.tenantId, subscription_id: ids.id } });
  });

  test("Google Cloud: the active configuration's project", () => {
    scratch.put("home/.config/gcloud/active_config", "work\n");
    scratch.put("home/.config/gcloud/configurations/config_work", "[core]\naccount = me\nproject = my-project\n");
    expect(look()).toMatchObject({ clouds: ["gcp"], values: { project_id: "my-project" } });
  });

  test("the environment goes first", () => {
    scratch.put("home/.aws/config", "[default]\nregion = eu-west-1\n");
    expect(look({ AWS_REGION: "ap-south-1" }).values["region"]).toBe("ap-south-1");
  });

  test("what profile lint would refuse is not taken", () => {
    scratch.put("home/.azure/azureProfile.json", "not JSON");
    scratch.put("home/.config/gcloud/active_config", "../../../../etc/passwd");
    scratch.put("home/.aws/config", "[default]\nregion = \u001b[2Jnowhere\n");
    expect(look({ AZURE_CLIENT_ID: "me", GOOGLE_CLOUD_PROJECT: "NOT A PROJECT" }).values).toEqual({});
  });

  test("in the sandbox, what its sample profile names", () => {
    scratch.put(
      "sample.yaml",
      `version: 1\nprofiles: { demo: { aws: { role_arn: "${ROLE}" }, gcp: { workload_identity_provider: ${PROVIDER} } } }\n`,
    );
    const env = { AGENTCTL_CONFIG: `${scratch.dir}/sample.yaml`, AGENTCTL_SANDBOX_CONTROL_URL: "https://127.0.0.1:1" };
    expect(look(env)).toMatchObject({ clouds: ["aws", "gcp"], values: { role_arn: ROLE } });
    expect(look({ AGENTCTL_CONFIG: env.AGENTCTL_CONFIG }).values).toEqual({});
  });
});
