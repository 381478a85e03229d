import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { GrantTerms, IssueContext } from "../../../core/lease.js";
import type { AwsSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import { withinTime } from "../../within-time.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../limits.js";
import { asRevoker, requestOf } from "./as-revoker.js";

/** The child waits for this, so with `auto` a slow IAM is not waited for to the end. */
const CHECK_MS = { auto: 10_000, required: 30_000 } as const;
/** What may be over by the time that the lease ends. */
const PASSING: readonly string[] = ["UNREACHABLE", "THROTTLED", "SERVICE_FAILED"];

/**
 * Makes sure that the revoker works, and that using it gives nobody more than they have: who may put policies on a role
 * may do whatever the role's permissions boundary leaves, and without one, everything.
 * @throws {AgentctlError} ESCALATION_POSSIBLE; and what keeps the revoker from working, but for what may pass, which only
 *   `required` demands to have passed by now. Not for `auto` with `accept_escalation`, which leaves nothing to be seen
 */
export async function checkRevoker(
  revokerRoleArn: string,
  settings: AwsSettings,
  terms: Pick<GrantTerms, "leaseId" | "revoke">,
  context: IssueContext,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<void> {
  const isRequired = terms.revoke === "required";
  const ms = CHECK_MS[isRequired ? "required" : "auto"];
  const late = new AgentctlError("UNREACHABLE", `AWS did not let ${revokerRoleArn} be tried within ${ms / 1000}s`);
  const request = requestOf(revokerRoleArn, settings, terms.leaseId, runtime);
  const mintToken: IssueContext["mintToken"] = (audiences) => context.mintToken(audiences);
  const tryIt = (signal: AbortSignal) =>
    asRevoker(request, { mintToken, signal, limits }, runtime, async (role) => {
      if (isRequired) await role.list();
      if (settings.acceptEscalation || (await role.hasBoundary())) return;
      throw escalation(request.roleArn, revokerRoleArn);
    });
  try {
    await withinTime(ms, context.signal, tryIt, late);
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (isRequired || !PASSING.includes(error.code)) throw error;
  }
}

function escalation(roleArn: string, revokerRoleArn: string): AgentctlError {
  return new AgentctlError(
    "ESCALATION_POSSIBLE",
    `${roleArn} has no permissions boundary, so ${revokerRoleArn}, which may put policies on it, could give it any right`,
    {
      hint: "give the role a permissions boundary, as agentctl setup aws writes it, or set aws.accept_escalation: true",
      facts: { role: roleArn, revoker: revokerRoleArn },
    },
  );
}
