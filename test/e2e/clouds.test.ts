import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Fault, ServiceName } from "../../src/sandbox/index.js";
import { bundleProgram, eventually, type Outcome, openStage, outcomeOf, type Stage } from "./agentctl.js";
import { expectNothingLeft, expectRefusal, neverRun } from "./refusal.js";
import { AWS, AZURE, type Block, configOf, GCP, REPORTS_ONLY } from "./three-clouds.js";

const { service_account: _account, ...FEDERATED } = GCP;
const CONFIG = configOf({
  all: { ttl: "10m", aws: AWS, azure: AZURE, gcp: GCP },
  bounded: { ttl: "10m", gcp: { ...GCP, access_boundary: [REPORTS_ONLY] } },
  federated: { ttl: "2h", gcp: FEDERATED },
});

let stage: Stage;
let program: string;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(CONFIG);
  program = await bundleProgram("clouds.mjs", stage.dir);
});
afterEach(() => stage.sandbox.faults.clear());
afterAll(() => stage.close());

interface Receipt {
  readonly deadlineAt: string;
  readonly identity: { readonly source: string; readonly subject: string };
  readonly grants: readonly {
    readonly cloud: string;
    readonly principal: string;
    readonly expiresAt: string;
    readonly facts: Block;
  }[];
  readonly endings: readonly { cloud: string; word: string; at: string; until?: string }[];
  readonly delivery: { readonly given: readonly string[] };
  readonly error?: { readonly code: string; readonly facts: Block };
}

interface Told {
  readonly outcome: Outcome;
  /** What the program printed, by its argument. */
  readonly answers: Readonly<Record<string, string>>;
  readonly receipt: Receipt;
}

async function ask(on: Stage, profile: string, ...actions: readonly string[]): Promise<Told> {
  const file = path.join(on.dir, "receipt.json");
  const command = [process.execPath, program, ...actions];
  const outcome = await on.run(["run", "-p", profile, "--receipt", file, "--", ...command]);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  const lines = outcome.stdout.trimEnd().split("\n");
  const answers = Object.fromEntries(lines.map((line) => [line.split(" ", 1)[0] ?? "", line.replace(/^\S+ /, "")]));
  return { outcome, answers, receipt: readReceipt(file) };
}

function readReceipt(file: string): Receipt {
  return JSON.parse(fs.readFileSync(file, "utf8")) as Receipt;
}

/** Seconds since the epoch, from RFC 3339. */
const seconds = (instant: string | undefined): number => Date.parse(instant ?? "") / 1000;

const EACH_CLOUD = ["s3:demo/hello.txt", "arm", "blob:demo/hello.txt", "gcs:demo/hello.txt"];
const HELLO = "200 Hello from the agentctl sandbox.";

describe("one lease on three clouds", () => {
  test("the child has a use for each, and none for what it was not given", async () => {
    const { answers } = await ask(
      stage,
      "all",
      ...EACH_CLOUD,
      "s3:other/private.txt",
      "blob:other/private.txt",
      "blob-by-arm-token:demo/hello.txt",
      "gcs:other/private.txt",
      "gcs-put:demo/from-e2e.txt",
    );
    expect(answers).toEqual({
      "s3:demo/hello.txt": HELLO,
      arm: expect.stringMatching(`^200 .*"subscriptionId":"${AZURE["subscription_id"]}"`),
      "blob:demo/hello.txt": HELLO,
      "gcs:demo/hello.txt": HELLO,
      "s3:other/private.txt": "AccessDenied",
      "blob:other/private.txt": "403",
      "blob-by-arm-token:demo/hello.txt": "401",
      "gcs:other/private.txt": "403",
      "gcs-put:demo/from-e2e.txt": "200",
    });
  });

  test("the receipt has three grants, and says of each when it really ends", async () => {
    const { outcome, answers, receipt } = await ask(stage, "all", "azure-ends", "gcp-ends");
    expect(receipt.grants).toMatchObject([
      { cloud: "aws", principal: expect.stringContaining("assumed-role/agentctl-demo/") },
      { cloud: "azure", principal: `application ${AZURE["client_id"]} in tenant ${AZURE["tenant_id"]}` },
      { cloud: "gcp", principal: GCP["service_account"], facts: { token: "impersonated" } },
    ]);
    const [aws, azure, gcp] = receipt.endings;
    const deadline = seconds(receipt.deadlineAt);
    expect(aws).toMatchObject({ cloud: "aws", word: "fenced", at: receipt.deadlineAt });
    expect(seconds(aws?.until)).toBe(seconds(receipt.grants[0]?.expiresAt));
    expect(seconds(aws?.until)).toBeGreaterThan(deadline);
    expect(azure).toMatchObject({ cloud: "azure", word: "expires" });
    expect(Math.abs(seconds(azure?.at) - Number(answers["azure-ends"]))).toBeLessThanOrEqual(2);
    expect(seconds(azure?.at)).toBeGreaterThan(deadline + 2000);
    expect(gcp).toMatchObject({ cloud: "gcp", word: "expires" });
    expect(Math.abs(seconds(gcp?.at) - Number(answers["gcp-ends"]))).toBeLessThanOrEqual(2);
    expect(Math.abs(seconds(gcp?.at) - deadline)).toBeLessThanOrEqual(2);
    for (const { cloud, word, at } of receipt.endings) expect(outcome.stderr).toContain(`${cloud}: ${word} at ${at}`);
    expectNothingLeft(stage);
  });

  test("the variables are those of the design's table, and the caller's identity is not among them", async () => {
    const outcome = await stage.run(["run", "-p", "all", "--quiet", "--", "env"]);
    const variables = Object.fromEntries(outcome.stdout.split("\n").map((line) => line.split(/=(.*)/s, 2)));
    expect(variables).toMatchObject({
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: expect.any(String),
      AWS_SESSION_TOKEN: expect.any(String),
      AWS_REGION: "us-east-1",
      AZURE_ACCESS_TOKEN: expect.stringMatching(/^eyJ/),
      AZURE_ACCESS_TOKEN_STORAGE_AZURE_COM: expect.stringMatching(/^eyJ/),
      AZURE_TENANT_ID: AZURE["tenant_id"],
      AZURE_CLIENT_ID: AZURE["client_id"],
      AZURE_SUBSCRIPTION_ID: AZURE["subscription_id"],
      ARM_TENANT_ID: AZURE["tenant_id"],
      ARM_CLIENT_ID: AZURE["client_id"],
      ARM_SUBSCRIPTION_ID: AZURE["subscription_id"],
      CLOUDSDK_AUTH_ACCESS_TOKEN: expect.stringMatching(/^ya29\./),
      GOOGLE_OAUTH_ACCESS_TOKEN: variables["CLOUDSDK_AUTH_ACCESS_TOKEN"],
      CLOUDSDK_CORE_PROJECT: GCP["project_id"],
      GOOGLE_CLOUD_PROJECT: GCP["project_id"],
    });
    expect(Object.keys(variables).filter((name) => /^ACTIONS_ID_TOKEN|FEDERATED_TOKEN|OIDC/.test(name))).toEqual([]);
  });

  test("an access boundary leaves what it names and no more", async () => {
    const actions = ["gcs:demo/reports/2026/q3.csv", "gcs:demo/hello.txt", "gcs-put:demo/reports/new.csv"];
    const { answers } = await ask(stage, "bounded", ...actions);
    expect(Object.values(answers)).toEqual(["200 region,total", "403", "403"]);
  });

  test("without a service account the child has the federated token, whose own end is told", async () => {
    const { outcome, answers, receipt } = await ask(stage, "federated", "gcs:demo/hello.txt", "gcp-ends");
    expect(answers["gcs:demo/hello.txt"]).toBe(HELLO);
    const [ending] = receipt.endings;
    expect(receipt.grants).toMatchObject([{ cloud: "gcp", facts: { token: "federated" } }]);
    expect(Math.abs(seconds(ending?.at) - Number(answers["gcp-ends"]))).toBeLessThanOrEqual(2);
    expect(outcome.stderr).toContain(`Google Cloud: the token ends at ${ending?.at}, before the lease does`);
  });
});

interface AllOrNothingRow {
  readonly name: string;
  readonly faults: readonly Fault[];
  readonly code: number;
  readonly error: string;
  readonly cloud: string;
  readonly says: RegExp;
  /** The clouds whose grants had been issued, and were dropped. */
  readonly dropped?: readonly string[];
}

const held = { kind: "latency", latencyMs: 3000 } as const;
const ALL_OR_NOTHING: readonly AllOrNothingRow[] = [
  {
    name: "AWS refuses",
    faults: [{ service: "sts", kind: "deny" }],
    code: 77,
    error: "CLOUD_DENIED",
    cloud: "aws",
    says: /AWS STS refused .*AccessDenied/,
  },
  {
    name: "Azure refuses",
    faults: [{ service: "entra", kind: "deny" }],
    code: 77,
    error: "CLOUD_DENIED",
    cloud: "azure",
    says: /Azure: Microsoft Entra refused .*AADSTS53003/,
  },
  {
    name: "Google refuses, when the others have granted",
    faults: [
      { service: "gcp-sts", ...held },
      { service: "gcp-sts", kind: "deny" },
    ],
    code: 77,
    error: "CLOUD_DENIED",
    cloud: "gcp",
    says: /Google Cloud: Google's STS refused .*PERMISSION_DENIED/,
    dropped: ["aws: fenced", "azure: expires"],
  },
  {
    name: "Google answers nonsense, when the others have granted",
    faults: [
      { service: "iamcredentials", ...held },
      { service: "iamcredentials", kind: "garbage" },
    ],
    code: 76,
    error: "BAD_ANSWER",
    cloud: "gcp",
    says: /Google Cloud: Google's IAM Credentials at/,
    dropped: ["aws: fenced", "azure: expires"],
  },
  {
    name: "Azure refuses while AWS throttles: the refusal is what is told, and AWS is not waited for",
    faults: [
      { service: "sts", kind: "throttle", retryAfterSeconds: 60 },
      { service: "entra", kind: "deny" },
    ],
    code: 77,
    error: "CLOUD_DENIED",
    cloud: "azure",
    says: /AADSTS53003/,
  },
];

describe("all or nothing", () => {
  test.each(ALL_OR_NOTHING)("$name", async ({ faults, dropped = [], ...want }) => {
    for (const fault of faults) stage.sandbox.faults.add(fault);
    const { outcome, receipt, recorded } = await runToRefusal();
    expectRefusal(outcome, { ...want, says: [want.says] });
    expect(recorded).toMatchObject([{ error: { code: want.error, facts: { cloud: want.cloud } } }]);
    expect(receipt).toMatchObject({ grants: [], endings: [], error: { code: want.error } });
    const endings = (receipt.error?.facts["endings"] ?? []) as string[];
    expect(endings.map((ending) => ending.split(" at ", 1)[0])).toEqual(dropped);
    expectNothingLeft(stage);
  });

  test("all refuse: one of them is told, and the others are not forgotten to be stopped", async () => {
    for (const service of ["sts", "entra", "gcp-sts"] as const) stage.sandbox.faults.add({ service, kind: "deny" });
    const { outcome, receipt, recorded } = await runToRefusal();
    expectRefusal(outcome, { code: 77, error: "CLOUD_DENIED", says: [/it saw iss/, /hint: /] });
    expect(recorded).toMatchObject([{ kind: "lease.refused", decision: { allowed: false } }]);
    expect(receipt.error?.facts).not.toHaveProperty("endings");
    expectNothingLeft(stage);
  });

  async function runToRefusal() {
    const before = stage.auditRecords().length;
    const file = path.join(stage.dir, "refused.json");
    const outcome = await stage.run(["run", "-p", "all", "--receipt", file, "--", ...neverRun(stage)]);
    return { outcome, receipt: readReceipt(file), recorded: stage.auditRecords().slice(before) };
  }
});

describe.each(["gitlab", "kubernetes"] as const)("the identity of %s", (platform) => {
  let there: Stage;
  beforeAll(async () => {
    there = await openStage({ platform });
    const provider = String(GCP["workload_identity_provider"]).replace(/github$/, platform);
    const gcp = { ...GCP, workload_identity_provider: provider };
    there.writeConfig(configOf({ all: { ttl: "10m", aws: AWS, azure: AZURE, gcp } }));
  });
  afterAll(() => there.close());

  test("is found, and does for all three clouds", async () => {
    const { answers, receipt } = await ask(there, "all", ...EACH_CLOUD);
    expect(answers).toMatchObject({ "s3:demo/hello.txt": HELLO, "blob:demo/hello.txt": HELLO });
    expect(answers).toMatchObject({ "gcs:demo/hello.txt": HELLO, arm: expect.stringMatching(/^200 /) });
    const subject = { gitlab: /^project_path:acme\/site:/, kubernetes: /^system:serviceaccount:acme:deploy$/ }[
      platform
    ];
    expect(receipt.identity).toMatchObject({ source: platform, subject: expect.stringMatching(subject) });
  });

  test("is not the child's to use", async () => {
    const names = Object.keys(there.sandbox.env).filter((name) => /OIDC_TOKEN|_TOKEN_FILE$/.test(name));
    expect(names.length).toBeGreaterThanOrEqual(2);
    const outcome = await there.run(["run", "-p", "all", "--quiet", "--", "env"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    for (const name of names) {
      expect(outcome.stdout).not.toMatch(new RegExp(`^${name}=`, "m"));
      expect(outcome.stdout).not.toContain(there.sandbox.env[name]);
    }
  });

  if (platform !== "kubernetes") return;

  test("is read anew for each try: the kubelet may have renewed it", async () => {
    const services: readonly ServiceName[] = ["sts", "entra", "gcp-sts"];
    await writeStrangersTokens(there);
    const before = there.sandbox.requests().length;
    for (const service of services) {
      // Microsoft Entra is asked for a token for each of two scopes.
      const times = service === "entra" ? 2 : 1;
      there.sandbox.faults.add({ service, kind: "throttle", retryAfterSeconds: 2, times });
    }
    const child = there.start(["run", "-p", "all", "--quiet", "--", "true"]);
    child.stdin?.end();
    const ended = outcomeOf(child);
    await eventually(() => {
      const asked = there.sandbox.requests().slice(before);
      return child.exitCode !== null || services.every((service) => asked.some((one) => one.service === service));
    });
    await there.sandbox.rotateTokens();
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });
});

/** In the place of each projected token one that no cloud trusts. */
async function writeStrangersTokens(there: Stage): Promise<void> {
  const file = there.sandbox.env["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? "";
  const dir = path.dirname(path.dirname(file));
  const audiences = {
    aws: "sts.amazonaws.com",
    azure: "api://AzureADTokenExchange",
    gcp: `https://iam.googleapis.com/${String(GCP["workload_identity_provider"]).replace(/github$/, "kubernetes")}`,
  };
  for (const [cloud, audience] of Object.entries(audiences)) {
    const claims = { sub: "system:serviceaccount:acme:stranger" };
    const token = await there.sandbox.mintToken({ audience: [audience], claims });
    fs.writeFileSync(path.join(dir, cloud, "token"), token);
  }
}
