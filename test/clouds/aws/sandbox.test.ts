import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueGrants } from "../../../src/clouds/index.js";
import type { AwsHop, Profile } from "../../../src/core/profile.js";
import type { Sandbox } from "../../../src/sandbox/index.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { startSandbox } from "../../start-sandbox.js";
import { failureOf, idToken } from "./issuing.js";
import { awsSettings, leaseTerms } from "./settings.js";

const HOUR_MS = 3_600_000;
const DEMO = "arn:aws:iam::111122223333:role/agentctl-demo";
const CHAINED = "arn:aws:iam::111122223333:role/agentctl-chained";

describe("against an STS that checks tokens, signatures, trust and policies", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterEach(() => sandbox.clock.setOffset(0));
  afterAll(() => sandbox.close());

  async function issue(chain: readonly AwsHop[], ttlSeconds = 60) {
    const settings = awsSettings({ roleArn: DEMO, chain, region: "eu-central-1" });
    const context = {
      mintToken: async () => idToken(await sandbox.mintToken()),
      signal: new AbortController().signal,
    };
    const runtime = fakeRuntime({ env: sandbox.env });
    const profile = { clouds: { aws: settings } } as Profile;
    const terms = leaseTerms(ttlSeconds, Date.now());
    return issueGrants(profile, [{ cloud: "aws", channel: "env" }], terms, context, runtime);
  }

  it.each([
    { name: "one role", chain: [], offsetMs: 0, want: "agentctl-demo" },
    { name: "a chain", chain: [{ roleArn: CHAINED }], offsetMs: 0, want: "agentctl-chained" },
    {
      name: "a chain, its clock an hour ahead",
      chain: [{ roleArn: CHAINED }],
      offsetMs: HOUR_MS,
      want: "agentctl-chained",
    },
    {
      name: "a chain, its clock an hour behind",
      chain: [{ roleArn: CHAINED }],
      offsetMs: -HOUR_MS,
      want: "agentctl-chained",
    },
  ])("gives a session: $name", async ({ chain, offsetMs, want }) => {
    sandbox.clock.setOffset(offsetMs);
    const [grant] = await issue(chain);
    expect(grant?.principal).toContain(`:assumed-role/${want}/agentctl-`);
    expect(Math.abs((grant?.expiresAt ?? 0) - Date.now() - 900_000)).toBeLessThan(30_000);
    expect(Math.round(Number(grant?.facts["clockSkewSeconds"] ?? 0) / 60)).toBe(offsetMs / 60_000);
  });

  it("is refused further roles that do not trust the first", async () => {
    const error = await failureOf(issue([{ roleArn: CHAINED }, { roleArn: DEMO }]));
    expect(error).toMatchObject({ code: "CLOUD_DENIED", facts: { awsCode: "AccessDenied", role: DEMO } });
  });
});
