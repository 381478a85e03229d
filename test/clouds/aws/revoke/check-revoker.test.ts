import { describe, expect, it } from "vitest";
import { awsCloud } from "../../../../src/clouds/aws/index.js";
import { checkRevoker } from "../../../../src/clouds/aws/revoke/check-revoker.js";
import type { ErrorCode } from "../../../../src/core/errors.js";
import type { RevokeMode } from "../../../../src/core/profile.js";
import { neverAnswers, type Reply, refuses } from "../fake-sts.js";
import { failureOf, idToken } from "../issuing.js";
import { awsSettings, grantTerms, LEASE_ID, ROLE } from "../settings.js";
import { BOUNDARY, type FakeWorld } from "./fake-aws.js";
import { EXCHANGE, NOW, REVOKER, scene } from "./taking-back.js";

const many = (reply: Reply) => Array.from({ length: 9 }, () => reply);
const failing = many(refuses(500, "ServiceFailure", "oops"));
const throttled = many(refuses(400, "Throttling", "Rate exceeded"));
const forbidden = many(refuses(403, "AccessDenied", "no"));

interface Check {
  readonly revoke?: RevokeMode;
  readonly acceptEscalation?: boolean;
  readonly revoker?: boolean;
  readonly world?: Partial<FakeWorld>;
  readonly exchangeMs?: number;
}

/** Checks at a fake AWS whose role has a boundary; answers which of its actions were asked for. */
async function check({ revoke = "auto", acceptEscalation = false, revoker = true, world }: Check) {
  const { aws, runtime } = await scene({ world: { boundary: BOUNDARY, ...world } });
  const settings = awsSettings({ acceptEscalation, ...(revoker && { revoker: { roleArn: REVOKER } }) });
  const context = { mintToken: async () => idToken(), signal: new AbortController().signal };
  const checked = awsCloud.checkEnding?.(settings, { ...grantTerms(300, NOW), revoke }, context, runtime);
  return { aws, checked: checked as Promise<void> };
}

describe("before the command starts", () => {
  const PASSES: { name: string; input: Check; want: string[] }[] = [
    { name: "nobody is asked without a revoker", input: { revoker: false, revoke: "required" }, want: [] },
    { name: "nobody is asked with revoke: none", input: { revoke: "none" }, want: [] },
    { name: "nobody is asked where escalation is accepted", input: { acceptEscalation: true }, want: [] },
    {
      name: "the revoker is tried where escalation is accepted and it is required",
      input: { acceptEscalation: true, revoke: "required", world: { boundary: undefined } as never },
      want: ["AssumeRoleWithWebIdentity", "ListRolePolicies"],
    },
    { name: "the boundary is looked for", input: {}, want: ["AssumeRoleWithWebIdentity", "GetRole"] },
    {
      name: "both, where it is required",
      input: { revoke: "required" },
      want: ["AssumeRoleWithWebIdentity", "ListRolePolicies", "GetRole"],
    },
  ];
  it.each(PASSES)("$name", async ({ input, want }) => {
    const { aws, checked } = await check(input);
    await checked;
    expect(aws.actions()).toEqual(want);
  });

  it.each(["auto", "required"] as const)("a role without a boundary is refused with revoke: %s", async (revoke) => {
    const { checked } = await check({ revoke, world: { boundary: undefined as never } });
    const error = await failureOf(checked);
    expect(error).toMatchObject({ code: "ESCALATION_POSSIBLE", exitCode: 78, facts: { role: ROLE, revoker: REVOKER } });
    expect(error.hint).toMatch(/permissions boundary.*accept_escalation: true/);
  });

  const FAILURES: { name: string; instead: FakeWorld["instead"]; auto?: ErrorCode; required: ErrorCode }[] = [
    {
      name: "a revoker that cannot be assumed",
      instead: { AssumeRoleWithWebIdentity: forbidden },
      auto: "CLOUD_DENIED",
      required: "CLOUD_DENIED",
    },
    { name: "a look that is refused", instead: { GetRole: forbidden }, auto: "CLOUD_DENIED", required: "CLOUD_DENIED" },
    { name: "an IAM that fails", instead: { GetRole: failing }, required: "SERVICE_FAILED" },
    { name: "an IAM that throttles", instead: { GetRole: throttled }, required: "THROTTLED" },
    { name: "an STS that fails", instead: { AssumeRoleWithWebIdentity: failing }, required: "SERVICE_FAILED" },
    { name: "a list that is refused", instead: { ListRolePolicies: forbidden }, required: "CLOUD_DENIED" },
  ];
  it.each(FAILURES)("$name, where it is required, keeps it from starting", async ({ instead, required }) => {
    const { checked } = await check({ revoke: "required", world: { instead: instead ?? {} } });
    expect(await failureOf(checked)).toMatchObject({ code: required });
  });
  it.each(FAILURES)("$name, where it is not, does so only for good", async ({ instead, auto }) => {
    const { checked } = await check({ world: { instead: instead ?? {} } });
    if (auto === undefined) await checked;
    else expect(await failureOf(checked)).toMatchObject({ code: auto });
  });

  it.each([
    { revoke: "auto" as const, want: undefined },
    { revoke: "required" as const, want: "UNREACHABLE" },
  ])("an IAM that never answers is not waited for with revoke: $revoke", async ({ revoke, want }) => {
    const { runtime } = await scene({ world: { instead: { GetRole: many(neverAnswers) } } });
    const settings = awsSettings({ revoker: { roleArn: REVOKER } });
    const context = { mintToken: async () => idToken(), signal: new AbortController().signal };
    const limits = { ...EXCHANGE, exchangeMs: 50, attempts: 2 };
    const checked = checkRevoker(REVOKER, settings, { leaseId: LEASE_ID, revoke }, context, runtime, limits);
    if (want === undefined) await checked;
    else expect(await failureOf(checked)).toMatchObject({ code: want });
  });

  it("an interruption is one, whatever is required", async () => {
    const stop = new AbortController();
    const { runtime } = await scene({ world: { instead: { GetRole: [() => stop.abort()] } } });
    const settings = awsSettings({ revoker: { roleArn: REVOKER } });
    const context = { mintToken: async () => idToken(), signal: stop.signal };
    const checked = awsCloud.checkEnding?.(settings, grantTerms(300, NOW), context, runtime);
    expect(await failureOf(checked as Promise<void>)).toMatchObject({ code: "INTERRUPTED" });
  });
});
