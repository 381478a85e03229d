import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BIN, NODE, type Outcome, openStage, type RunOptions, type Stage } from "./agentctl.js";
import { countRequests, expectNothingLeft, expectRefusal } from "./refusal.js";
import { AWS, AZURE, type Block, configOf, GCP, REPORTS_ONLY } from "./three-clouds.js";

const CONFIG = configOf({
  all: { ttl: "2h", deliver: "env", aws: AWS, azure: AZURE, gcp: GCP },
  served: { ttl: "10m", deliver: "endpoint", aws: AWS, azure: AZURE, gcp: GCP },
  short: { ttl: "10m", aws: AWS, gcp: GCP },
  other: { ttl: "10m", aws: AWS },
  bounded: { gcp: { ...GCP, access_boundary: [REPORTS_ONLY] } },
  people: { actors: ["human"], aws: AWS },
  listed: { commands: ["aws s3 *"], aws: AWS },
  named: { commands: ["agentctl credential aws"], aws: AWS, gcp: GCP },
});

let stage: Stage;
/** With agentctl on it, as where it is installed. */
let PATH: string;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(CONFIG);
  fs.mkdirSync(path.join(stage.dir, "bin"));
  fs.symlinkSync(BIN, path.join(stage.dir, "bin/agentctl"));
  PATH = `${path.join(stage.dir, "bin")}:${stage.env["PATH"]}`;
});
afterAll(() => stage.close());

const credential = (args: readonly string[], options?: RunOptions): Promise<Outcome> =>
  stage.run(["credential", ...args], options);
/** The command, inside a lease of a profile. */
const inLease = (profile: string, args: readonly string[], env: RunOptions["env"] = {}): Promise<Outcome> => {
  const command = [NODE, BIN, "credential", ...args];
  return stage.run(["run", "-p", profile, "--quiet", "--", ...command], { env });
};
const answerOf = ({ stdout }: Outcome): Block => JSON.parse(stdout) as Block;
const minutesUntil = (time: unknown): number => (Date.parse(String(time)) - Date.now()) / 60_000;

describe("a credential outside a lease", () => {
  test("is AWS's, until the fence", async () => {
    const answer = answerOf(await credential(["aws", "-p", "short"]));
    expect(answer).toMatchObject({ Version: 1, AccessKeyId: expect.stringMatching(/^ASIA/) });
    expect(minutesUntil(answer["Expiration"])).toBeGreaterThan(9);
    expect(minutesUntil(answer["Expiration"])).toBeLessThanOrEqual(10);
  });

  test("is for an hour at most, and of one cloud", async () => {
    const before = stage.sandbox.requests().length;
    const answer = answerOf(await credential(["gcp", "-p", "all", "--format", "token"]));
    expect(answer).toMatchObject({ access_token: expect.stringMatching(/^ya29\./), token_type: "Bearer" });
    expect(minutesUntil(answer["expiry"])).toBeLessThanOrEqual(60);
    const services = stage.sandbox.requests().slice(before);
    expect([...new Set(services.map(({ service }) => service))].sort()).toEqual(["gcp-sts", "iamcredentials", "oidc"]);
  });

  test("is Azure's for one scope, the first or the one that is named", async () => {
    const [first, second] = [
      await credential(["azure", "-p", "all"]),
      await credential(["azure", "-p", "all", "--scope", "https://storage.azure.com/.default"]),
    ];
    for (const outcome of [first, second]) {
      expect(answerOf(outcome)).toMatchObject({ tenant: AZURE["tenant_id"], subscription: AZURE["subscription_id"] });
    }
    const audiences = [first, second].map((outcome) => claimsOf(answerOf(outcome)["accessToken"])["aud"]);
    expect(audiences).toEqual(["https://management.azure.com", "https://storage.azure.com"]);
  });

  test("is on record from the decision to its end, and holds no lease open", async () => {
    const before = stage.auditRecords().length;
    await credential(["aws", "-p", "short"]);
    const [start, end, ...more] = stage.auditRecords().slice(before);
    expect(more).toEqual([]);
    expect(start).toMatchObject({
      kind: "lease.start",
      profile: "short",
      command: { argv0: "agentctl" },
      decision: { allowed: true },
      grants: [{ cloud: "aws" }],
    });
    expect(end).toMatchObject({
      kind: "lease.end",
      lease: start?.["lease"],
      endings: [{ cloud: "aws", word: "fenced" }],
    });
    expectNothingLeft(stage);
  });

  test("is the caller's ID token for a tool that trades it, and the record says so", async () => {
    const before = stage.sandbox.requests().length;
    const outcome = await credential(["gcp", "-p", "short"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const answer = answerOf(outcome);
    const claims = claimsOf(answer["id_token"]);
    expect(claims["aud"]).toBe(`https://iam.googleapis.com/${GCP["workload_identity_provider"]}`);
    expect(answer).toMatchObject({ version: 1, success: true, expiration_time: claims["exp"] });
    const asked = stage.sandbox.requests().slice(before);
    expect(asked.map(({ service }) => service)).toEqual(["oidc"]);
    const [start, end] = stage.auditRecords().slice(-2);
    expect(start).toMatchObject({ grants: [{ cloud: "gcp", facts: { handedOut: "the caller's ID token" } }] });
    expect(end).toMatchObject({ endings: [{ cloud: "gcp", word: "expires" }] });
    expect(JSON.stringify(stage.auditRecords())).not.toContain(answer["id_token"]);
  });
});

describe("a credential that is refused", () => {
  test.each([
    { name: "no profile", args: ["aws"], code: 64, error: "USAGE", says: [/no profile was named/] },
    {
      name: "another cloud",
      args: ["azure", "-p", "short"],
      code: 78,
      error: "CONFIG_INVALID",
      says: [/no azure in it/, /aws, gcp/],
    },
    {
      name: "another scope",
      args: ["azure", "-p", "all", "--scope", "https://vault.azure.net/.default"],
      code: 64,
      error: "USAGE",
      says: [/scopes are https:/],
    },
    { name: "another actor", args: ["aws", "-p", "people"], code: 77, error: "ACTOR_DENIED", says: [/automation/] },
    {
      name: "a command that is not listed",
      args: ["aws", "-p", "listed"],
      code: 77,
      error: "COMMAND_DENIED",
      says: [/does not permit .*agentctl/, /"aws s3 \*"/],
    },
    {
      name: "another of the listed command's",
      args: ["gcp", "-p", "named", "--format", "token"],
      code: 77,
      error: "COMMAND_DENIED",
      says: [/with these arguments/],
    },
  ])("for $name", async ({ args, code, error, says }) => {
    const before = { records: stage.auditRecords().length, asked: countRequests(stage, "sts") };
    expectRefusal(await credential(args, { env: { PATH } }), { code, error, says });
    expect(countRequests(stage, "sts")).toBe(before.asked);
    const kinds = stage
      .auditRecords()
      .slice(before.records)
      .map(({ kind }) => kind);
    expect(kinds).toEqual(args.includes("-p") ? [code === 77 ? "lease.refused" : "lease.failed"] : []);
    expectNothingLeft(stage);
  });

  test("is handed out where the profile permits it by name", async () => {
    expect(await credential(["aws", "-p", "named"], { env: { PATH } })).toMatchObject({ code: 0 });
  });

  test("for a boundary that the tool would not keep, but not within it", async () => {
    const outcome = await credential(["gcp", "-p", "bounded"]);
    expect(outcome).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/error\[CONFIG_INVALID\].*boundary.*\n.*--format token/),
    });
    expect(answerOf(outcome)).toMatchObject({ version: 1, success: false, code: "CONFIG_INVALID" });
    expect(await credential(["gcp", "-p", "bounded", "--format", "token"])).toMatchObject({ code: 0 });
  });

  test("is told to Google's libraries in their own words", async () => {
    const env = { GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE: "//iam.googleapis.com/projects/1/other" };
    const outcome = await credential(["gcp", "-p", "short"], { env });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(answerOf(outcome)).toMatchObject({ success: false, code: "CONFIG_INVALID" });
    expect(stage.auditRecords().at(-1)).toMatchObject({ kind: "lease.failed", error: { code: "CONFIG_INVALID" } });
  });
});

describe("a credential inside a lease", () => {
  const EACH = ["aws", "azure --scope https://storage.azure.com/.default", "gcp --format token"];
  const forEach = (then: string): readonly string[] => {
    const script = `for cloud in ${EACH.map((args) => `"${args}"`).join(" ")}; do "$0" "$1" credential $cloud || exit; done; ${then}`;
    return ["sh", "-c", script, NODE, BIN];
  };
  /** What was issued since, by each cloud's own service. */
  const countIssued = (before: number): readonly number[] => {
    const asked = stage.sandbox.requests().slice(before);
    const issuing = ["sts AssumeRoleWithWebIdentity", "entra token", "gcp-sts ExchangeToken"];
    return issuing.map((name) => asked.filter(({ service, operation }) => `${service} ${operation}` === name).length);
  };

  test("is what the lease's variables give of each cloud, and costs no exchange", async () => {
    const before = stage.sandbox.requests().length;
    const names = "$AWS_SESSION_TOKEN $AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM $CLOUDSDK_AUTH_ACCESS_TOKEN";
    const outcome = await stage.run([
      "run",
      "-p",
      "all",
      "--ttl",
      "10m",
      "--quiet",
      "--",
      ...forEach(`printf '%s\\n' ${names}`),
    ]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    const lines = outcome.stdout.trim().split("\n");
    const [aws, azure, gcp] = lines.slice(0, 3).map((line) => JSON.parse(line) as Block);
    expect([aws?.["SessionToken"], azure?.["accessToken"], gcp?.["access_token"]]).toEqual(lines.slice(3));
    // One of Entra's for each of the profile's two scopes.
    expect(countIssued(before)).toEqual([1, 2, 1]);
  });

  test("is asked of the lease's endpoint where that is how it is delivered, and costs no exchange either", async () => {
    const before = stage.sandbox.requests().length;
    const subject = '"$0" "$1" credential azure && "$0" "$1" credential gcp';
    const outcome = await stage.run(["run", "-p", "served", "--quiet", "--", ...forEach(subject)]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: "" });
    const [aws, storage, gcp, arm, nonce] = outcome.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Block);
    expect(aws).toMatchObject({ Version: 1, AccessKeyId: expect.stringMatching(/^ASIA/) });
    expect([storage, arm].map((token) => claimsOf(token?.["accessToken"])["aud"])).toEqual([
      "https://storage.azure.com",
      "https://management.azure.com",
    ]);
    expect(gcp).toMatchObject({ access_token: expect.stringMatching(/^ya29\./), expires_in: expect.any(Number) });
    // The lease's own, and no token that any other service would take.
    expect(nonce).toMatchObject({ version: 1, success: true, id_token: expect.not.stringMatching(/\./) });
    expect(countIssued(before)).toEqual([1, 2, 1]);
  });

  test.each([
    {
      name: "for a cloud that it has not",
      profile: "other",
      args: ["gcp", "--format", "token"],
      code: 78,
      says: /holds nothing of Google Cloud/,
    },
    {
      name: "for another profile, whose identity is not there",
      profile: "other",
      args: ["aws", "-p", "short"],
      code: 78,
      says: /error\[NO_IDENTITY\].*\n.*in the lease of profile other/,
    },
  ])("is refused $name", async ({ profile, args, code, says }) => {
    const outcome = await inLease(profile, args);
    expect(outcome).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(says) });
  });
});

function claimsOf(token: unknown): Block {
  return JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString("utf8")) as Block;
}
