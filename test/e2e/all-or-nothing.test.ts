import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Fault } from "../../src/sandbox/index.js";
import { DEFAULT_ACCOUNT, revokerArn } from "../../src/sandbox/world.js";
import { openStage, type Stage } from "./agentctl.js";
import { readReceipt } from "./ask-clouds.js";
import { expectNothingLeft, expectRefusal, neverRun } from "./refusal.js";
import { AWS, AZURE, configOf, GCP } from "./three-clouds.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const all = { ttl: "10m", aws: AWS, azure: AZURE, gcp: GCP };
  stage.writeConfig(configOf({ all, revocable: { ...all, aws: { ...AWS, revoker: { role_arn: REVOKER } } } }));
});
afterEach(() => stage.sandbox.faults.clear());
afterAll(() => stage.close());

interface AllOrNothingRow {
  readonly name: string;
  readonly profile?: string;
  readonly faults: readonly Fault[];
  readonly code: number;
  readonly error: string;
  readonly cloud: string;
  readonly says: RegExp;
  /** The clouds whose grants had been issued, and were dropped. */
  readonly dropped?: readonly string[];
}

const REVOKER = revokerArn(DEFAULT_ACCOUNT);
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
    name: "Google refuses, when the others have granted, and one of them can be taken back",
    profile: "revocable",
    faults: [
      { service: "gcp-sts", ...held },
      { service: "gcp-sts", kind: "deny" },
    ],
    code: 77,
    error: "CLOUD_DENIED",
    cloud: "gcp",
    says: /aws: revoked since /,
    dropped: ["aws: revoked", "azure: expires"],
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
  test.each(ALL_OR_NOTHING)("$name", async ({ profile, faults, dropped = [], ...want }) => {
    for (const fault of faults) stage.sandbox.faults.add(fault);
    const { outcome, receipt, recorded } = await runToRefusal(profile);
    expectRefusal(outcome, { ...want, says: [want.says] });
    expect(recorded).toMatchObject([{ error: { code: want.error, facts: { cloud: want.cloud } } }]);
    expect(receipt).toMatchObject({ error: { code: want.error } });
    for (const { grants = [], endings = [] } of [receipt, recorded[0] as Partial<typeof receipt>]) {
      expect(grants.map(({ cloud }) => cloud)).toEqual(endings.map(({ cloud }) => cloud));
      expect(endings.map(({ cloud, word }) => `${cloud}: ${word}`)).toEqual(dropped);
    }
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

  async function runToRefusal(profile = "all") {
    const before = stage.auditRecords().length;
    const file = path.join(stage.dir, "refused.json");
    const outcome = await stage.run(["run", "-p", profile, "--receipt", file, "--", ...neverRun(stage)]);
    return { outcome, receipt: readReceipt(file), recorded: stage.auditRecords().slice(before) };
  }
});
