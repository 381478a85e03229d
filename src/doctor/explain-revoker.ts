import type { AgentctlError } from "../core/errors.js";
import type { GrantPlan } from "../core/lease.js";
import type { Trial } from "./examination.js";
import { type Finding, note, ok } from "./finding.js";

/** What may be over by the end of a run, so that with `revoke: auto` the run goes on. */
const PASSING: readonly string[] = ["UNREACHABLE", "THROTTLED", "SERVICE_FAILED"];

/** Whether what failed is not the grant, but that it could be taken back. */
export function isOfRevoker({ facts, message }: AgentctlError, plan: Pick<GrantPlan, "facts">): boolean {
  const revoker = revokerOf(plan);
  if (revoker === undefined) return false;
  const { role, revoker: named } = facts;
  if (role === undefined && named === undefined) return message.includes(revoker);
  return role === revoker || named === revoker;
}

/** Whether the token itself was refused to the revoker, and not what the revoker then asked for. */
export function isOfRevokersTrust({ facts }: AgentctlError, plan: Pick<GrantPlan, "facts">): boolean {
  return facts["role"] !== undefined && facts["role"] === revokerOf(plan);
}

/** What of the plan needs the revoker, in the plan's words. */
export function revokerStep(plan: Pick<GrantPlan, "facts" | "steps" | "principal">): string {
  const revoker = revokerOf(plan) ?? "";
  return plan.steps.find((step) => step.includes(revoker)) ?? `see that ${revoker} could write on ${plan.principal}`;
}

/** Whether a run with the profile as it is would go on in spite of it. */
export function wouldPass(error: AgentctlError, { profile, revoke }: Pick<Trial, "profile" | "revoke">): boolean {
  return revoke === "auto" && (profile.clouds.aws?.acceptEscalation === true || PASSING.includes(error.code));
}

/** Of a revoker that was let in. Nothing is written: a deny would stay on the role for minutes. */
export function describeRevoker(plan: Pick<GrantPlan, "cloud" | "facts" | "principal">): readonly Finding[] {
  const revoker = revokerOf(plan);
  if (revoker === undefined) return [];
  const seen = `${plan.cloud}: ${revoker} can be assumed and sees the policies of ${plan.principal}`;
  const untried = "whether it may write there is not tried";
  if (plan.facts["acceptEscalation"] === true) {
    return [note(`${seen}, whose permissions boundary accept_escalation leaves aside; ${untried}`)];
  }
  return [ok(`${seen}, which has a permissions boundary; ${untried}`, { cloud: plan.cloud, revoker })];
}

function revokerOf({ facts }: Pick<GrantPlan, "facts">): string | undefined {
  const revoker = facts["revoker"];
  return typeof revoker === "string" ? revoker : undefined;
}
