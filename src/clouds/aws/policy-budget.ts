import { AgentctlError } from "../../core/errors.js";

/** What STS takes of session policy in plain text, inline and ARNs together. */
export const SESSION_POLICY_LIMIT = 2048;
const POLICY_ARN_LIMIT = 10;

export interface PolicyBudget {
  readonly used: number;
  readonly left: number;
  /** How much of `used` agentctl adds: the fence, and Allow-all where nothing else allows. */
  readonly fence: number;
}

/**
 * Counts what a hop's session policies take, before STS is asked.
 * @param inline the policy as it will be sent; @param own how many characters of it the profile wrote
 * @throws {AgentctlError} POLICY_TOO_LONG, CONFIG_INVALID for too many ARNs
 */
export function checkPolicyBudget(inline: string, policyArns: readonly string[], own: number): PolicyBudget {
  if (policyArns.length > POLICY_ARN_LIMIT) {
    throw new AgentctlError(
      "CONFIG_INVALID",
      `aws.policy_arns has ${policyArns.length} policies, and AWS takes ${POLICY_ARN_LIMIT}`,
    );
  }
  const used = inline.length + policyArns.reduce((sum, arn) => sum + arn.length, 0);
  const fence = inline.length - own;
  const left = SESSION_POLICY_LIMIT - used;
  if (left < 0) throw tooLong(used, fence);
  return { used, left, fence };
}

function tooLong(used: number, fence: number): AgentctlError {
  const over = used - SESSION_POLICY_LIMIT;
  return new AgentctlError(
    "POLICY_TOO_LONG",
    `the session policy takes ${used} characters, ${over} more than AWS's ${SESSION_POLICY_LIMIT}; the fence takes ${fence} of them`,
    {
      hint: "shorten the session policy, or move it to a managed policy and name that in aws.policy_arns",
      facts: { policyCharactersUsed: used, policyCharactersLimit: SESSION_POLICY_LIMIT, fenceCharacters: fence },
    },
  );
}
