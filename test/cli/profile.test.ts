import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { registerProfile } from "../../src/cli/profile.js";
import { AgentctlError } from "../../src/core/errors.js";
import { createProject, type Project, ROLE } from "../config/project.js";
import { runCommand } from "./run-command.js";

let project: Project;
afterEach(() => project.remove());

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly error: AgentctlError | undefined;
}

async function run(...argv: readonly string[]): Promise<Outcome> {
  const { runtime } = project;
  const error = await runCommand(registerProfile, ["profile", ...argv], runtime).then(
    () => undefined,
    (thrown: unknown) => {
      if (thrown instanceof AgentctlError) return thrown;
      throw thrown;
    },
  );
  return { stdout: runtime.stdout.text(), stderr: runtime.stderr.text(), error };
}

const POLICY = JSON.stringify(
  { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: ["s3:GetObject", "s3:GetObjekt"], Resource: "*" }] },
  null,
  2,
);
const CONFIG = `version: 1
profiles:
  base: { ttl: 5m }
  deploy:
    description: Deploy it
    extends: base
    aws: { role_arn: ${ROLE}, session_policy: p.json }
`;

describe("agentctl profile list", () => {
  it("prints a table", async () => {
    project = createProject({ "agentctl.yaml": CONFIG });
    expect((await run("list")).stdout).toBe(
      "NAME    CLOUDS            DESCRIPTION\nbase    (to be extended)\ndeploy  aws               Deploy it\n",
    );
  });

  it("prints JSON", async () => {
    project = createProject({ "agentctl.yaml": "version: 1\nprofiles: {}\n" });
    expect(JSON.parse((await run("list", "--json")).stdout)).toEqual([]);
  });

  it("says on stderr that there are none", async () => {
    project = createProject({ "other.yaml": "version: 1\nprofiles: {}\n" });
    expect(await run("list", "--config", "other.yaml")).toEqual({
      stdout: "",
      stderr: "agentctl: no profiles\n",
      error: undefined,
    });
  });
});

describe("agentctl profile show", () => {
  const files = { "agentctl.yaml": CONFIG, "p.json": POLICY };

  it("prints the resolved profile as YAML, and the same as JSON", async () => {
    project = createProject(files);
    const yaml = parse((await run("show", "deploy")).stdout) as Record<string, unknown>;
    project.remove();
    project = createProject(files);
    const json = JSON.parse((await run("show", "deploy", "--json")).stdout) as Record<string, unknown>;
    expect(yaml).toMatchObject({
      name: "deploy",
      ttl: "5m",
      on_expiry: "warn",
      grace: "30s",
      identity: { source: "auto" },
      aws: { role_arn: ROLE, session_policy: JSON.parse(POLICY), session_policy_from: "p.json", chain: [] },
      env: { pass: [], set: {} },
    });
    expect({ ...yaml, file: "" }).toEqual({ ...json, file: "" });
  });

  it("lets nothing in a policy steer the terminal", async () => {
    project = createProject({ ...files, "p.json": '{ "Statement": [], "Id": "a\\u202eb\\u009b31m" }' });
    const { stdout } = await run("show", "deploy");
    expect(stdout).not.toMatch(/[\u202e\u009b]/u);
    expect(stdout).toContain("\\u202e");
  });

  it("offers the nearest name", async () => {
    project = createProject(files);
    expect((await run("show", "deplyo")).error).toMatchObject({
      code: "PROFILE_UNKNOWN",
      hint: expect.stringContaining("deploy?"),
    });
  });
});

describe("agentctl profile lint", () => {
  it("prints findings with their places, and what is left of the budget; warnings are no failure", async () => {
    project = createProject({ "agentctl.yaml": CONFIG, "p.json": POLICY });
    const { stdout, error } = await run("lint");
    expect(error).toBeUndefined();
    expect(stdout.split("\n")).toEqual([
      'warning: p.json:8:9: Statement[0].Action[1]: s3 has no action "GetObjekt"; did you mean "GetObject"?',
      "info: p.json:10:19: Statement[0].Resource: allows every resource that the role may reach",
      expect.stringMatching(/^deploy: aws: session policy uses \d+ of 2048 characters, \d+ left$/),
      "0 errors, 1 warning, 1 note",
      "",
    ]);
  });

  const ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess";
  it.each([
    {
      name: "without a session policy says that the fence uses it, and that the role is not narrowed",
      aws: `{ role_arn: ${ROLE} }`,
      want: [
        "info: agentctl.yaml: profiles.p.aws: the role is not narrowed: the command may do all that the role may, until the fence (say in session_policy what the task needs)",
        expect.stringMatching(/^p: aws: the fence uses \d+ of 2048 characters, \d+ left$/),
        "0 errors, 0 warnings, 1 note",
      ],
    },
    {
      name: "with policy_arns alone counts them in",
      aws: `{ role_arn: ${ROLE}, policy_arns: ["${ARN}"] }`,
      want: [
        expect.stringMatching(/^p: aws: the fence and policy_arns use \d+ of 2048 characters, \d+ left$/),
        "0 errors, 0 warnings, 0 notes",
      ],
    },
  ])("a profile $name", async ({ aws, want }) => {
    project = createProject({ "agentctl.yaml": `version: 1\nprofiles:\n  p: { aws: ${aws} }\n` });
    const { stdout, error } = await run("lint");
    expect(error).toBeUndefined();
    expect(stdout.split("\n")).toEqual([...want, ""]);
  });

  it("prints nothing of a cloud that has no budget", async () => {
    const provider = "projects/1/locations/global/workloadIdentityPools/pool/providers/github";
    const gcp = `{ workload_identity_provider: ${provider} }`;
    project = createProject({ "agentctl.yaml": `version: 1\nprofiles:\n  p: { gcp: ${gcp} }\n` });
    expect((await run("lint")).stdout).toBe("0 errors, 0 warnings, 0 notes\n");
  });

  it("prints every problem of a file, and fails", async () => {
    project = createProject({ "agentctl.yaml": "version: 1\nprofiles:\n  p: { tll: 1h, actors: [] }\n" });
    const { stdout, error } = await run("lint");
    expect(error).toMatchObject({ code: "CONFIG_INVALID", exitCode: 78, message: "2 errors in agentctl.yaml" });
    expect(stdout).toBe(
      'error: agentctl.yaml:3:8: profiles.p.tll: unknown key; did you mean "ttl"?\n' +
        "error: agentctl.yaml:3:25: profiles.p.actors: is an empty list; leave the key out instead\n" +
        "2 errors, 0 warnings, 0 notes\n",
    );
  });

  it("goes on to the other profiles when one does not resolve, and only looks at the one that is named", async () => {
    const text = `${CONFIG}  broken: { extends: nobody }\n`;
    project = createProject({ "agentctl.yaml": text, "p.json": POLICY });
    const { stdout, error } = await run("lint");
    expect(stdout).toMatch(/^error: agentctl\.yaml:8:22: profiles\.broken\.extends: /m);
    expect(stdout).toMatch(/^deploy: aws: /m);
    expect(error?.message).toBe("1 error in agentctl.yaml");
    expect((await run("lint", "deploy")).error).toBeUndefined();
  });

  it("reports a policy that is too long, as JSON", async () => {
    const long = {
      Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${"b".repeat(2048)}` }],
    };
    project = createProject({ "agentctl.yaml": CONFIG, "p.json": JSON.stringify(long) });
    const { stdout, error } = await run("lint", "--json");
    expect(error?.exitCode).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      files: ["agentctl.yaml"],
      findings: [{ severity: "error", code: "POLICY_TOO_LONG", file: "agentctl.yaml", path: "profiles.deploy" }],
      budgets: [],
    });
  });

  it("points into a policy that is written in place, even in a parent", async () => {
    const text = `version: 1
profiles:
  base:
    aws:
      session_policy:
        Statement:
          - { Effect: Allow, Action: "s3:Gett*", Resource: "arn:aws:s3:::a" }
  p: { extends: base, aws: { role_arn: ${ROLE} } }
`;
    project = createProject({ "agentctl.yaml": text });
    expect((await run("lint")).stdout).toMatch(
      /^warning: agentctl\.yaml:7:38: profiles\.base\.aws\.session_policy\.Statement\[0\]\.Action: no action of s3/m,
    );
  });
});
