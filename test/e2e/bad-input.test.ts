import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEMO_PROFILE, eventually, openStage, type RunOptions, type Stage } from "./agentctl.js";
import { holdLatency } from "./faults/held-latency.js";
import { countRequests, expectNothingLeft, expectRefusal, neverRun } from "./refusal.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

interface Row {
  readonly name: string;
  /** The configuration; default the demo profile. */
  readonly config?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: () => Promise<RunOptions["env"]> | RunOptions["env"];
  readonly code: number;
  readonly error: string;
  /** Both the error line and the hint are matched. */
  readonly says: readonly RegExp[];
  /** The kind of the audit record; absent where nothing is to be recorded. */
  readonly recorded?: "lease.refused" | "lease.failed";
}

const demoWith = (lines: string): string => DEMO_PROFILE.replace("    aws:\n", `${lines}    aws:\n`);
const awsWith = (lines: string): string => `${DEMO_PROFILE}${lines}`;
const longPolicy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::demo/${"x".repeat(2000)}` }],
});

const CONFIGURATION: readonly Row[] = [
  { name: "no profile named", args: [], code: 64, error: "USAGE", says: [/profile/, /demo/] },
  {
    name: "an unknown profile",
    args: ["-p", "dmeo"],
    code: 78,
    error: "PROFILE_UNKNOWN",
    says: [/dmeo/, /demo/],
    recorded: "lease.failed",
  },
  {
    name: "no configuration",
    args: ["-p", "demo", "--config", "nowhere.yaml"],
    code: 78,
    error: "CONFIG_NOT_FOUND",
    says: [/nowhere\.yaml/],
    recorded: "lease.failed",
  },
  {
    name: "YAML that does not parse",
    config: "version: 1\nprofiles: {demo: [\n",
    code: 78,
    error: "CONFIG_SYNTAX",
    says: [/agentctl\.yaml:\d+:\d+/],
    recorded: "lease.failed",
  },
  {
    name: "an unknown key",
    config: DEMO_PROFILE.replace("role_arn", "role_arm"),
    code: 78,
    error: "CONFIG_INVALID",
    says: [/:6:7/, /role_arm/, /role_arn/],
    recorded: "lease.failed",
  },
  {
    name: "a malformed ARN",
    config: DEMO_PROFILE.replace("arn:aws:iam::111122223333:role", "arn:aws:iam::1111:role"),
    code: 78,
    error: "CONFIG_INVALID",
    says: [/account/],
    recorded: "lease.failed",
  },
  {
    name: "a session policy that is missing",
    config: awsWith("      session_policy: nowhere.json\n"),
    code: 78,
    error: "POLICY_INVALID",
    says: [/nowhere\.json/],
    recorded: "lease.failed",
  },
  {
    name: "a session policy that is not JSON",
    config: awsWith("      session_policy: broken.json\n"),
    files: { "broken.json": "{ nope" },
    code: 78,
    error: "POLICY_INVALID",
    says: [/broken\.json/, /JSON/],
    recorded: "lease.failed",
  },
  {
    name: "a session policy that is too long",
    config: awsWith("      session_policy: long.json\n"),
    files: { "long.json": longPolicy },
    code: 78,
    error: "POLICY_TOO_LONG",
    says: [/2048|2,048/],
    recorded: "lease.failed",
  },
  {
    name: "a project file that sets PATH",
    config: demoWith("    env: { set: { PATH: /tmp } }\n"),
    code: 78,
    error: "CONFIG_FORBIDDEN",
    says: [/PATH/],
    recorded: "lease.failed",
  },
  {
    name: "a project file that passes a credential",
    config: demoWith("    env: { pass: [AWS_PROFILE] }\n"),
    code: 78,
    error: "CONFIG_FORBIDDEN",
    says: [/AWS_PROFILE/],
    recorded: "lease.failed",
  },
  {
    name: "a longer ttl than the profile's",
    args: ["-p", "demo", "--ttl", "2h"],
    code: 64,
    error: "USAGE",
    says: [/2h/, /15m/],
    recorded: "lease.failed",
  },
  {
    name: "a ttl that is no duration",
    args: ["-p", "demo", "--ttl", "soon"],
    code: 64,
    error: "USAGE",
    says: [/soon/],
  },
  {
    name: "an unknown option",
    args: ["-p", "demo", "--dryrun"],
    code: 64,
    error: "USAGE",
    says: [/--dryrun/, /--dry-run/],
  },
];

const mint = (claims: Parameters<Stage["sandbox"]["mintToken"]>[0]) => async () => ({
  ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
  AGENTCTL_ID_TOKEN: await stage.sandbox.mintToken(claims),
});
const noIdentity = { ACTIONS_ID_TOKEN_REQUEST_URL: undefined, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined };

const IDENTITY: readonly Row[] = [
  {
    name: "no identity",
    env: () => noIdentity,
    code: 78,
    error: "NO_IDENTITY",
    says: [/AGENTCTL_ID_TOKEN/, /id-token: write/],
    recorded: "lease.failed",
  },
  {
    name: "an expired token",
    env: mint({ expiresInSeconds: -3600 }),
    code: 76,
    error: "TOKEN_EXPIRED",
    says: [/expired/, /clock/],
    recorded: "lease.failed",
  },
  {
    name: "a token for somebody else",
    env: mint({ audience: "api://other" }),
    code: 76,
    error: "TOKEN_AUDIENCE",
    says: [/sts\.amazonaws\.com/, /api:\/\/other/],
    recorded: "lease.failed",
  },
  {
    name: "something that is no JWT",
    env: () => ({ ...noIdentity, AGENTCTL_ID_TOKEN: "hunter2-hunter2" }),
    code: 76,
    error: "TOKEN_MALFORMED",
    says: [/JWT/],
    recorded: "lease.failed",
  },
  {
    name: "a token file that is not there",
    env: () => ({ ...noIdentity, AGENTCTL_TOKEN_FILE: "/nonexistent/token" }),
    code: 78,
    error: "NO_IDENTITY",
    says: [/\/nonexistent\/token/],
    recorded: "lease.failed",
  },
  {
    name: "a wrong bearer at the token service",
    env: () => ({ ACTIONS_ID_TOKEN_REQUEST_TOKEN: "wrong" }),
    code: 77,
    error: "IDENTITY_DENIED",
    says: [/id-token: write/],
    recorded: "lease.refused",
  },
  {
    name: "a token that AWS does not trust",
    env: mint({ claims: { sub: "repo:evil/fork:ref:refs/heads/main" } }),
    code: 77,
    error: "CLOUD_DENIED",
    says: [/AccessDenied/, /repo:evil\/fork/, /trust/],
    recorded: "lease.refused",
  },
  {
    name: "a forged token",
    env: mint({ signedBy: "stranger" }),
    code: 77,
    error: "CLOUD_DENIED",
    says: [/InvalidIdentityToken/],
    recorded: "lease.refused",
  },
];

const COMMANDS: readonly Row[] = [
  {
    name: "a command that is not there",
    command: ["no-such-command"],
    code: 127,
    error: "COMMAND_NOT_FOUND",
    says: [/no-such-command/],
    recorded: "lease.failed",
  },
  {
    name: "a command that is not executable",
    command: ["./plain.txt"],
    files: { "plain.txt": "text" },
    code: 126,
    error: "COMMAND_NOT_EXECUTABLE",
    says: [/plain\.txt/, /chmod/],
    recorded: "lease.failed",
  },
  {
    name: "a command that is not allowed",
    config: demoWith('    commands: ["true --yes"]\n'),
    command: ["true", "--no"],
    code: 77,
    error: "COMMAND_DENIED",
    says: [/true --yes/],
    recorded: "lease.refused",
  },
  {
    name: "an actor that is not allowed",
    config: demoWith("    actors: [human]\n"),
    args: ["-p", "demo", "--actor", "agent:tester"],
    code: 77,
    error: "ACTOR_DENIED",
    says: [/human/],
    recorded: "lease.refused",
  },
  {
    name: "an actor of no kind",
    args: ["-p", "demo", "--actor", "robot"],
    code: 64,
    error: "USAGE",
    says: [/--actor/, /human/],
    recorded: "lease.failed",
  },
  {
    name: "a receipt that can't be written",
    args: ["-p", "demo", "--receipt", "/nonexistent/receipt.json"],
    code: 74,
    error: "RECEIPT_UNWRITABLE",
    says: [/\/nonexistent\/receipt\.json/],
  },
  {
    name: "a receipt that is a directory",
    args: ["-p", "demo", "--receipt", "/tmp"],
    code: 74,
    error: "RECEIPT_UNWRITABLE",
    says: [/\/tmp/],
  },
  {
    name: "a state directory that can't be written",
    env: () => ({ AGENTCTL_STATE_DIR: "/proc/agentctl" }),
    code: 74,
    error: "AUDIT_UNWRITABLE",
    says: [/\/proc\/agentctl/, /AGENTCTL_STATE_DIR/],
  },
  {
    name: "an endpoint that is not HTTPS",
    env: () => ({ AWS_ENDPOINT_URL_STS: "http://sts.example.com" }),
    code: 78,
    error: "ENDPOINT_INVALID",
    says: [/AWS_ENDPOINT_URL_STS/],
    recorded: "lease.failed",
  },
];

describe.each([
  { group: "configuration", rows: CONFIGURATION },
  { group: "identity", rows: IDENTITY },
  { group: "commands and places", rows: COMMANDS },
])("bad input: $group", ({ rows }) => {
  test.each(rows)("$name", async (row) => {
    stage.writeConfig(row.config ?? DEMO_PROFILE);
    for (const [name, text] of Object.entries(row.files ?? {})) stage.writeFile(name, text);
    const before = stage.auditRecords().length;
    const env = await row.env?.();
    const outcome = await stage.run(
      ["run", ...(row.args ?? ["-p", "demo"]), "--", ...(row.command ?? neverRun(stage))],
      env === undefined ? {} : { env },
    );
    expectRefusal(outcome, row);
    const recorded = stage.auditRecords().slice(before);
    expect(recorded.map(({ kind, error }) => [kind, (error as { code: string }).code])).toEqual(
      row.recorded === undefined ? [] : [[row.recorded, row.error]],
    );
    expectNothingLeft(stage);
  });
});

// What the clouds do wrong is in faults.test.ts.
describe("bad input: faults of the token service", () => {
  type Fault = Parameters<Stage["sandbox"]["faults"]["add"]>[0];
  const rows: readonly (Omit<Row, "says"> & {
    readonly fault: Fault;
    readonly says: readonly RegExp[];
    readonly tries: number;
  })[] = [
    {
      name: "the token service fails and goes on",
      fault: { service: "oidc", kind: "error" },
      code: 69,
      error: "SERVICE_FAILED",
      says: [/token service/],
      tries: 4,
    },
    {
      name: "the token service answers garbage",
      fault: { service: "oidc", kind: "garbage" },
      code: 76,
      error: "BAD_ANSWER",
      says: [/token service/],
      tries: 1,
    },
  ];
  test.each(rows)("$name", async (row) => {
    stage.writeConfig(DEMO_PROFILE);
    const before = stage.auditRecords().length;
    const asked = countRequests(stage, row.fault.service);
    stage.sandbox.faults.add(row.fault);
    const outcome = await stage.run(["run", "-p", "demo", "--", ...neverRun(stage)]);
    stage.sandbox.faults.clear();
    expectRefusal(outcome, row);
    expect(countRequests(stage, row.fault.service) - asked).toBe(row.tries);
    const kind = row.code === 77 ? "lease.refused" : "lease.failed";
    expect(stage.auditRecords().slice(before)).toMatchObject([{ kind, error: { code: row.error } }]);
    expectNothingLeft(stage);
  });

  test("what passes after a retry is not told", async () => {
    stage.writeConfig(DEMO_PROFILE);
    stage.sandbox.faults.add({ service: "oidc", kind: "error", times: 1 });
    const outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", "true"]);
    stage.sandbox.faults.clear();
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
  });

  test("Ctrl-C while it is slow: nothing is waited for, and it is on record", async () => {
    const latency = holdLatency();
    const slow = await openStage({}, latency.host);
    try {
      slow.writeConfig(DEMO_PROFILE);
      slow.sandbox.faults.add({ service: "oidc", kind: "latency" });
      const child = slow.start(["run", "-p", "demo", "--", ...neverRun(slow)]);
      const exited = new Promise((resolve) => child.on("exit", resolve));
      await eventually(() => latency.held > 0);
      child.kill("SIGINT");
      expect(await exited).toBe(130);
      expect(latency.release()).toBe(1);
      expect(slow.auditRecords()).toMatchObject([{ kind: "lease.failed", error: { code: "INTERRUPTED" } }]);
      expectNothingLeft(slow);
    } finally {
      await slow.close();
    }
  });
});
