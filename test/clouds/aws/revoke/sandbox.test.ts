import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { endGrants, issueGrants, orderOf, planGrants } from "../../../../src/clouds/index.js";
import type { EndContext, LeaseTerms } from "../../../../src/core/lease.js";
import type { AwsSettings, Profile, RevokeMode } from "../../../../src/core/profile.js";
import type { Sandbox } from "../../../../src/sandbox/index.js";
import { fakeRuntime } from "../../../fake-runtime.js";
import { startSandbox } from "../../../start-sandbox.js";
import { endContext } from "../../end-order.js";
import { failureOf, idToken } from "../issuing.js";
import { awsSettings, leaseTerms } from "../settings.js";
import { stepsOf } from "./taking-back.js";

const DEMO = "arn:aws:iam::111122223333:role/agentctl-demo";
const CHAINED = "arn:aws:iam::111122223333:role/agentctl-chained";
const REVOKER = "arn:aws:iam::111122223333:role/agentctl-revoker";
const HOUR_MS = 3_600_000;

describe("against an STS and IAM that check signatures, rights and policies", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterEach(() => {
    sandbox.clock.setOffset(0);
    sandbox.iam.setPropagation(0);
  });
  afterAll(() => sandbox.close());

  const runtimeOf = () =>
    fakeRuntime({ env: sandbox.env, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) });
  const minting = { mintToken: async () => idToken(await sandbox.mintToken()) };

  async function issue(id: string, settings: Partial<AwsSettings> = {}, revoke: RevokeMode = "required") {
    const runtime = runtimeOf();
    const revoker = { roleArn: REVOKER };
    const aws = awsSettings({ roleArn: DEMO, region: "eu-central-1", revoker, ...settings });
    const profile = { clouds: { aws }, revoke } as Profile;
    const terms: LeaseTerms = { ...leaseTerms(300, Date.now()), leaseId: `l-${id.padEnd(16, "0")}` };
    const plans = await planGrants(profile, terms, runtime);
    const context = { ...minting, signal: new AbortController().signal };
    const [grant] = await issueGrants(profile, plans, terms, context, runtime);
    if (grant === undefined) throw new Error("nothing was issued");
    const order = orderOf(grant, plans, terms);
    const end = async (change: Partial<EndContext> = {}) =>
      (await endGrants([order], endContext({ ...minting, ...change }), runtime))[0];
    return { end, order, runtime };
  }

  it.each([
    { name: "at once", id: "now", delayMs: 0, offsetMs: 0 },
    { name: "once that has spread", id: "later", delayMs: 400, offsetMs: 0 },
    { name: "its clock an hour ahead", id: "ahead", delayMs: 0, offsetMs: HOUR_MS },
    { name: "its clock an hour behind", id: "behind", delayMs: 0, offsetMs: -HOUR_MS },
  ])("a session is refused, $name", async ({ id, delayMs, offsetMs }) => {
    sandbox.iam.setPropagation(delayMs);
    sandbox.clock.setOffset(offsetMs);
    const { end } = await issue(id);
    const ending = await end();
    expect(ending).toMatchObject({ cloud: "aws", word: "revoked" });
    const name = Object.keys(sandbox.rolePolicies(DEMO)).find((one) => one.endsWith(`-l-${id.padEnd(16, "0")}`));
    const untilMs = Number(name?.split("-")[2]) * 1000;
    expect(Math.abs(untilMs - (Date.now() + 300_000 + offsetMs))).toBeLessThan(60_000);
  });

  it("the session of a chain's last role is, which nobody bounds only where that is accepted", async () => {
    const chain = [{ roleArn: CHAINED }];
    expect(await failureOf(issue("chain1", { chain }))).toMatchObject({ code: "ESCALATION_POSSIBLE" });
    const { end } = await issue("chain2", { chain, acceptEscalation: true });
    expect((await end())?.word).toBe("revoked");
    expect(Object.keys(sandbox.rolePolicies(CHAINED))).toHaveLength(1);
  });

  it("nobody else's session of the same role is touched", async () => {
    const [one, other] = await Promise.all([issue("one"), issue("other")]);
    expect((await one.end())?.word).toBe("revoked");
    // It would be no observation, had the other's call been denied before.
    expect((await other.end())?.word).toBe("revoked");
  });

  it("ending twice, from what the ledger keeps, puts one deny", async () => {
    const { order, runtime } = await issue("twice");
    const { grant: _, ...kept } = order;
    const before = Object.keys(sandbox.rolePolicies(DEMO)).length;
    const again = () => endGrants([JSON.parse(JSON.stringify(kept))], endContext(minting), runtime);
    expect((await again())[0]?.word).toBe("removed");
    const [second] = await again();
    expect(second?.word).toBe("removed");
    expect(stepsOf(second as NonNullable<typeof second>).join()).toContain("already");
    expect(Object.keys(sandbox.rolePolicies(DEMO))).toHaveLength(before + 1);
  });

  it("a revoker that may do nothing to the role is found out before anything is handed over", async () => {
    const roles = sandbox.world.roles;
    const nobody = DEMO.replace("demo", "nobody");
    const strangers = { ...roles, [nobody]: { ...roles[DEMO], policies: [] } };
    const other = await startSandbox({ roles: strangers as typeof roles });
    try {
      const runtime = fakeRuntime({ env: other.env });
      const aws = awsSettings({ roleArn: DEMO, revoker: { roleArn: nobody } });
      const profile = { clouds: { aws }, revoke: "auto" } as Profile;
      const terms = leaseTerms(300, Date.now());
      const context = {
        mintToken: async () => idToken(await other.mintToken()),
        signal: new AbortController().signal,
      };
      const issuing = issueGrants(profile, [{ cloud: "aws", channel: "env" }], terms, context, runtime);
      expect(await failureOf(issuing)).toMatchObject({ code: "CLOUD_DENIED", facts: { revoker: nobody } });
    } finally {
      await other.close();
    }
  });
});
