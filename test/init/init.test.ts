import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { planGrants } from "../../src/clouds/index.js";
import { lintConfig } from "../../src/config/index.js";
import type { CloudName } from "../../src/core/profile.js";
import type { Runtime } from "../../src/core/runtime.js";
import { runInit } from "../../src/init/index.js";
import { setTerms } from "../../src/lease/index.js";
import { thrownBy } from "../thrown.js";
import { ALL_VALUES, makeScratch, ROLE, requestOf, runtimeIn, type Scratch } from "./scratch.js";

const AWS = { clouds: ["aws"], values: { role_arn: ROLE } } as const;
const GITHUB_JOB = ".github/workflows/agentctl.yml";
const GITLAB_JOB = ".gitlab/agentctl.gitlab-ci.yml";

let scratch: Scratch;
beforeEach(() => {
  scratch = makeScratch();
});
afterEach(() => scratch.remove());

const init = (request: Parameters<typeof requestOf>[0], overrides: Partial<Runtime> = {}) =>
  runInit(requestOf(request), runtimeIn(scratch.dir, overrides));

describe("what is written", () => {
  const cases: readonly (readonly CloudName[])[] = [["aws"], ["azure"], ["gcp"], ["aws", "azure", "gcp"]];
  test.each(cases.map((clouds) => ({ clouds })))(
    "$clouds: passes profile lint, and holds every value",
    async ({ clouds }) => {
      await init({ clouds, values: valuesOf(clouds), profileName: "on", ci: "none" });
      const runtime = runtimeIn(scratch.dir);
      const { findings, profiles } = await lintConfig({}, runtime);
      expect(findings.filter(({ severity }) => severity !== "info")).toEqual([]);
      expect(profiles.map(({ name }) => name)).toEqual(["on"]);
      const { profiles: written } = parse(scratch.read("agentctl.yaml"));
      expect(Object.assign({}, ...clouds.map((cloud) => written.on[cloud]))).toEqual(valuesOf(clouds));
    },
  );

  test.each([
    { name: "agentctl is a dependency", at: "", configPath: "agentctl.yaml", want: "node_modules/agentctl" },
    { name: "a file further down", at: "", configPath: "below/x.yaml", want: "../node_modules/agentctl" },
    { name: "agentctl is installed elsewhere", at: "other/", configPath: "agentctl.yaml", want: undefined },
  ])("an editor is told of the schema where it finds it: $name", async ({ at, configPath, want }) => {
    scratch.put("below/file", "");
    scratch.put(`${at}node_modules/agentctl/schema/agentctl.schema.json`, "{}");
    await init({ ...AWS, ci: "none", configPath });
    const text = scratch.read(configPath);
    const told = /^# yaml-language-server: \$schema=(\S+)\/schema\/agentctl\.schema\.json\n/.exec(text)?.[1];
    expect(told).toBe(want);
    expect(text).toMatch(/^# The task profiles of this repository/m);
    expect(fs.statSync(path.join(scratch.dir, configPath)).mode & 0o111).toBe(0);
  });

  test("a job for GitHub, with the right to an identity and nothing else", async () => {
    scratch.put(".git/HEAD", "ref: refs/heads/trunk\n");
    await init({ ...AWS, ci: "github" });
    expect(scratch.list()).toEqual([GITHUB_JOB, "agentctl.yaml"]);
    const job = parse(scratch.read(GITHUB_JOB));
    expect(job).toMatchObject({
      permissions: { contents: "read", "id-token": "write" },
      on: { push: { branches: ["trunk"] } },
    });
    const runs = job.jobs.agentctl.steps.flatMap((step: { run?: string }) => step.run ?? []);
    expect(runs).toContain("exec agentctl run -p deploy --receipt lease.json -- aws sts get-caller-identity");
    expect(job.jobs.agentctl.steps).toContainEqual({ run: "agentctl lease sweep", if: "always()" });
  });

  test("a job for GitLab, with the very audiences that a run asks for", async () => {
    await init({ clouds: ["aws", "azure", "gcp"], values: ALL_VALUES, ci: "gitlab" });
    const job = parse(scratch.read(GITLAB_JOB)).agentctl;
    expect(job.after_script).toEqual(["agentctl lease sweep"]);
    const runtime = runtimeIn(scratch.dir);
    const [profile] = (await lintConfig({}, runtime)).profiles;
    if (profile === undefined) throw new Error("no profile was written");
    const plans = await planGrants(profile, setTerms(profile, { argv: ["true"], passEnv: [] }, runtime), runtime);
    expect(Object.values(job.id_tokens)).toEqual(plans.map(({ audiences }) => ({ aud: audiences[0] })));
  });

  test("for the CI that the repository has, in its root", async () => {
    scratch.put(".git/HEAD", "ref: refs/heads/main\n");
    scratch.put(".gitlab-ci.yml", "");
    scratch.put("below/file", "");
    const { written, next } = await init(AWS, { cwd: path.join(scratch.dir, "below") });
    expect(written.map((file) => path.relative(scratch.dir, file))).toEqual(["agentctl.yaml", GITLAB_JOB]);
    expect(next).toEqual([
      "add to .gitlab-ci.yml: include: [{ local: .gitlab/agentctl.gitlab-ci.yml }]",
      "put agentctl's package (npm pack) at tools/agentctl-1.2.3.tgz, from where the job installs it",
      "agentctl setup aws -p deploy",
      "agentctl doctor -p deploy",
    ]);
  });

  test.each([
    { name: "not in a repository", git: false, request: AWS, says: "this is not a git repository" },
    { name: "in one of no known provider", git: true, request: AWS, says: "the repository shows no provider" },
    { name: "none is wanted", git: false, request: { ...AWS, ci: "none" }, says: undefined },
  ] as const)("no job, and why: $name", async ({ git, request, says }) => {
    if (git) scratch.put(".git/HEAD", "ref: refs/heads/main\n");
    const { noJob } = await init(request);
    expect(scratch.list()).toEqual(["agentctl.yaml"]);
    expect(noJob).toEqual(says && expect.stringContaining(says));
  });
});

describe("what is there already", () => {
  test("a configuration stays as it is, without --force", async () => {
    scratch.put("agentctl.yaml", "mine");
    expect(await thrownBy(() => init({ ...AWS, ci: "github" }))).toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      exitCode: 74,
    });
    expect(scratch.list()).toEqual(["agentctl.yaml"]);
    expect(scratch.read("agentctl.yaml")).toBe("mine");
    await init({ ...AWS, ci: "github", force: true });
    expect(scratch.read("agentctl.yaml")).toContain(ROLE);
  });

  test("a link that leads nowhere is there as well", async () => {
    fs.symlinkSync("/nonexistent/agentctl.yaml", path.join(scratch.dir, "agentctl.yaml"));
    expect(await thrownBy(() => init(AWS))).toMatchObject({ code: "OUTPUT_UNWRITABLE" });
  });

  test("a job stays as it is, and the new one is handed back", async () => {
    scratch.put(GITHUB_JOB, "mine");
    const { written, unwritten } = await init({ ...AWS, ci: "github" });
    expect(written.map((file) => path.basename(file))).toEqual(["agentctl.yaml"]);
    expect(unwritten?.text).toContain("agentctl run -p deploy");
    expect(scratch.read(GITHUB_JOB)).toBe("mine");
  });
});

describe("what cannot be written leaves nothing", () => {
  const failing = (name: keyof typeof fs, when: (file: string) => boolean, code: string): Runtime["fs"] =>
    ({
      ...fs,
      [name]: (...args: never[]) => {
        if (args.some((arg) => when(String(arg)))) throw Object.assign(new Error(code), { code });
        return (fs[name] as (...rest: never[]) => unknown)(...args);
      },
    }) as Runtime["fs"];

  test.each([
    { name: "a read-only directory", fs: failing("accessSync", () => true, "EACCES"), says: /permission denied$/ },
    { name: "a full disk", fs: failing("writeFileSync", () => true, "ENOSPC"), says: /the disk is full$/ },
    { name: "the job's directory", fs: failing("mkdirSync", () => true, "EROFS"), says: /agentctl\.yml: .*read-only$/ },
    {
      name: "the job alone",
      fs: failing("linkSync", (file) => file.endsWith(GITHUB_JOB), "EIO"),
      says: /agentctl\.yml: EIO$/,
    },
    {
      name: "a job that has come meanwhile",
      fs: failing("linkSync", (file) => file.endsWith(GITHUB_JOB), "EEXIST"),
      says: /agentctl\.yml is there already$/,
    },
  ])("$name", async ({ fs, says }) => {
    const error = await thrownBy(() => init({ ...AWS, ci: "github" }, { fs }));
    expect(error).toMatchObject({ code: "OUTPUT_UNWRITABLE", message: expect.stringMatching(says) });
    expect(scratch.list()).toEqual([]);
    expect(fs.readdirSync(scratch.dir)).toEqual([]);
  });

  test("a directory that is not there", async () => {
    const error = await thrownBy(() => init({ ...AWS, configPath: "nowhere/agentctl.yaml" }));
    expect(error).toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      message: expect.stringContaining("no such file or directory"),
    });
  });

  test("a file system without hard links has copies", async () => {
    await init({ ...AWS, ci: "github" }, { fs: failing("linkSync", () => true, "EPERM") });
    expect(scratch.list()).toEqual([GITHUB_JOB, "agentctl.yaml"]);
  });
});

describe("by flags alone", () => {
  test.each([
    { name: "nothing", request: {}, missing: ["--cloud"] },
    { name: "a cloud", request: { clouds: ["aws"] }, missing: ["--role-arn"] },
    {
      name: "three of them",
      request: { clouds: ["aws", "azure", "gcp"], values: { client_id: ALL_VALUES.client_id } },
      missing: ["--role-arn", "--tenant-id", "--workload-identity-provider"],
    },
    { name: "--yes where nothing is found", request: { yes: true }, missing: ["--cloud"] },
  ] as const)("$name: every flag that is missing is named", async ({ request, missing }) => {
    expect(await thrownBy(() => init(request))).toMatchObject({ code: "USAGE", exitCode: 64, facts: { missing } });
    expect(scratch.list()).toEqual([]);
  });

  test("what is found is taken with --yes alone", async () => {
    const env = { AWS_ROLE_ARN: ROLE, AWS_REGION: "eu-central-1" };
    expect(await thrownBy(() => init({ clouds: ["aws"] }, { env }))).toMatchObject({ code: "USAGE" });
    const { settled } = await init({ yes: true }, { env });
    expect(settled).toMatchObject({ clouds: ["aws"], values: { role_arn: ROLE, region: "eu-central-1" } });
  });

  test.each([
    { name: "a role that is none", request: { clouds: ["aws"], values: { role_arn: "nope" } }, says: /^--role-arn: / },
    { name: "a profile's name that is none", request: { ...AWS, profileName: "a b" }, says: /^--profile: / },
    {
      name: "a value of another cloud",
      request: { clouds: ["gcp"], values: { role_arn: ROLE } },
      says: /^--role-arn is of aws, which --cloud does not name$/,
    },
    {
      name: "a value that would end the line",
      request: { clouds: ["aws"], values: { role_arn: `${ROLE}\n    env: {}` } },
      says: /^--role-arn: /,
    },
  ] as const)("$name", async ({ request, says }) => {
    expect(await thrownBy(() => init(request))).toMatchObject({ code: "USAGE", message: expect.stringMatching(says) });
    expect(scratch.list()).toEqual([]);
  });
});

function valuesOf(clouds: readonly CloudName[]): Record<string, string> {
  const { role_arn, region, tenant_id, client_id, subscription_id, ...gcp } = ALL_VALUES;
  const values = { aws: { role_arn, region }, azure: { tenant_id, client_id, subscription_id }, gcp };
  return Object.assign({}, ...clouds.map((cloud) => values[cloud]));
}
