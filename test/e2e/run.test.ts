import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleProgram, DEMO_PROFILE, openStage, type Stage } from "./agentctl.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(PROFILES);
  s3Program = await bundleProgram("s3.mjs", stage.dir);
});
afterAll(() => stage.close());

const PROFILES = `${DEMO_PROFILE}
  narrow:
    extends: demo
    ttl: 10m
    aws:
      session_policy:
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::demo/reports/*" }]
  chained:
    extends: demo
    aws:
      chain: [{ role_arn: "arn:aws:iam::111122223333:role/agentctl-chained" }]
`;

let s3Program: string;
const s3 = (...args: string[]): string[] => ["--", process.execPath, s3Program, ...args];

interface Receipt {
  lease: string;
  grants: {
    cloud: string;
    principal: string;
    usableUntil: string;
    expiresAt: string;
    facts: Record<string, unknown>;
  }[];
  endings: { cloud: string; word: string; at: string; until?: string; detail: string }[];
  child: { exitCode: number };
  decision: { allowed: boolean; reasons: string[] };
  identity: { source: string; subject: string; tokenSha256: string };
  delivery: { given: string[]; removed: string[] };
  audit: { head: string; seq: number };
  error?: { code: string };
}

function readReceipt(file: string): Receipt {
  return JSON.parse(fs.readFileSync(file, "utf8")) as Receipt;
}

describe("agentctl run", () => {
  test("the child reads and writes S3 as the lease's principal, and the receipt tells the whole story", async () => {
    const receiptFile = path.join(stage.dir, "receipt.json");
    const outcome = await stage.run([
      "run",
      "-p",
      "demo",
      "--ttl",
      "10m",
      "--intent",
      "nightly",
      "--receipt",
      receiptFile,
      ...s3("whoami", "get:demo/hello.txt", "put:demo/from-e2e.txt"),
    ]);
    expect(outcome).toMatchObject({ code: 0 });
    const lines = outcome.stdout.trim().split("\n");
    const receipt = readReceipt(receiptFile);
    expect(lines).toEqual([
      `whoami ${receipt.grants[0]?.principal}`,
      "get:demo/hello.txt ok",
      "put:demo/from-e2e.txt ok",
    ]);
    expect(receipt.grants[0]?.principal).toMatch(
      new RegExp(`^arn:aws:sts::111122223333:assumed-role/agentctl-demo/agentctl-${receipt.lease}$`),
    );
    expect(receipt).toMatchObject({
      child: { exitCode: 0 },
      decision: { allowed: true },
      identity: { source: "github-actions", subject: "repo:acme/site:ref:refs/heads/main" },
      endings: [{ cloud: "aws", word: "fenced" }],
    });
    expect(receipt.identity.tokenSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(Date.parse(receipt.endings[0]?.until ?? "")).toBeGreaterThan(Date.parse(receipt.endings[0]?.at ?? ""));
    expect(fs.statSync(receiptFile).mode & 0o777).toBe(0o600);

    const verified = await stage.run(["audit", "verify", "--head", receipt.audit.head]);
    expect(verified).toMatchObject({ code: 0 });
    const records = stage.auditRecords().filter((record) => record["lease"] === receipt.lease);
    expect(records.map((record) => record["kind"])).toEqual(["lease.start", "lease.end"]);
    expect(records[0]).toMatchObject({ intent: "nightly", profile: "demo", decision: { allowed: true } });
    expect(fs.readdirSync(path.join(stage.stateDir, "leases"))).toEqual([]);
    expect(fs.readdirSync(path.join(stage.stateDir, "run"))).toEqual([]);
  });

  test("the session policy narrows what the role may do", async () => {
    const outcome = await stage.run([
      "run",
      "-p",
      "narrow",
      ...s3("get:demo/reports/2026/q3.csv", "get:demo/hello.txt"),
    ]);
    expect(outcome.stdout).toBe("get:demo/reports/2026/q3.csv ok\nget:demo/hello.txt AccessDenied\n");
  });

  test("the fence ends the keys while the child still runs, and a further session can't be had before", async () => {
    const outcome = await stage.run([
      "run",
      "-p",
      "demo",
      "--ttl",
      "8s",
      ...s3("assume", "get:demo/hello.txt", "until-denied:demo/hello.txt"),
    ]);
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.stdout).toMatch(
      /^assume AccessDenied\nget:demo\/hello\.txt ok\nuntil-denied:demo\/hello\.txt AccessDenied explicit deny in a session policy\n$/,
    );
    expect(outcome.stderr).toMatch(/agentctl: .*(deadline|expire|ended)/i);
  });

  test("a chain ends in the last role, with the fence on it", async () => {
    const outcome = await stage.run(["run", "-p", "chained", "--ttl", "5m", ...s3("whoami", "get:demo/hello.txt")]);
    expect(outcome.stdout).toMatch(
      /^whoami arn:aws:sts::111122223333:assumed-role\/agentctl-chained\/agentctl-l-\w+\nget:demo\/hello\.txt ok\n$/,
    );
    const assumed = stage.sandbox.requests().filter(({ operation }) => operation.startsWith("AssumeRole"));
    expect(assumed.slice(-2).map(({ operation }) => operation)).toEqual(["AssumeRoleWithWebIdentity", "AssumeRole"]);
  });

  test("the child finds no way to the caller's identity, and its stdout is its own", async () => {
    const outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", "sh", "-c", "env | cut -d= -f1"], {
      env: { AWS_PROFILE: "mine", GITHUB_TOKEN: "kept" },
    });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const names = outcome.stdout.split("\n");
    expect(names).not.toContain("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    expect(names).not.toContain("AWS_PROFILE");
    expect(names).toEqual(
      expect.arrayContaining(["GITHUB_TOKEN", "AWS_SESSION_TOKEN", "AGENTCTL_LEASE_ID", "IDENTITY_ENDPOINT"]),
    );
  });

  test.each([
    { name: "a success", script: "exit 0", code: 0 },
    { name: "a failure", script: "exit 3", code: 3 },
    { name: "a code that is one of agentctl's own", script: "exit 77", code: 77 },
    { name: "a death by SIGKILL", script: "kill -KILL $$", code: 137 },
    { name: "a death by SIGTERM", script: "kill -TERM $$", code: 143 },
  ])("the exit code is the child's: $name", async ({ script, code }) => {
    const outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", "sh", "-c", script]);
    expect(outcome).toMatchObject({ code, signal: null, stderr: "" });
  });

  test("stdin reaches the child, and what stands after the command is the child's", async () => {
    const outcome = await stage.run(["run", "-p", "demo", "--quiet", "cat", "-", "--", "/dev/null"], {
      input: "hello",
    });
    expect(outcome).toMatchObject({ code: 0, stdout: "hello" });
  });

  test("a clock that is an hour off in the cloud costs one more exchange, and the fence still bites on time", async () => {
    stage.sandbox.clock.setOffset(3_600_000, "sts");
    stage.sandbox.clock.setOffset(3_600_000, "s3");
    try {
      const outcome = await stage.run(
        ["run", "-p", "demo", "--ttl", "8s", ...s3("get:demo/hello.txt", "until-denied:demo/hello.txt")],
        {
          env: {
            AGENTCTL_ID_TOKEN: await stage.sandbox.mintToken({ expiresInSeconds: 7200 }),
            ACTIONS_ID_TOKEN_REQUEST_URL: undefined,
          },
        },
      );
      expect(outcome.stdout).toContain("get:demo/hello.txt ok\n");
      expect(outcome.stdout).toContain("explicit deny in a session policy");
      expect(outcome.stderr).toMatch(/clock/);
    } finally {
      for (const service of ["sts", "s3"] as const) stage.sandbox.clock.setOffset(0, service);
    }
  });
});

describe("agentctl run --dry-run", () => {
  test("says who would be what, and asks no cloud for anything", async () => {
    const before = stage.sandbox.requests().filter(({ service }) => service === "sts").length;
    const outcome = await stage.run(["run", "-p", "narrow", "--dry-run", "--", "cat", "--flag"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    for (const text of [
      "repo:acme/site:ref:refs/heads/main",
      "arn:aws:iam::111122223333:role/agentctl-demo",
      "of 2048 characters",
      "10m",
      "fenced",
      "AWS_SESSION_TOKEN",
      "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
      "cat --flag",
      "no cloud was asked",
    ]) {
      expect(outcome.stdout).toContain(text);
    }
    expect(stage.sandbox.requests().filter(({ service }) => service === "sts").length).toBe(before);
  });

  test("refuses what the run itself would refuse", async () => {
    const outcome = await stage.run(["run", "-p", "nowhere", "--dry-run", "--", "true"]);
    expect(outcome).toMatchObject({ code: 78, stdout: "" });
    expect(outcome.stderr).toContain("error[PROFILE_UNKNOWN]");
  });
});
