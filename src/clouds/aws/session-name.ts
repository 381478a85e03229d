import type { GrantTerms } from "../../core/lease.js";

/**
 * The RoleSessionName of every hop of a lease: what CloudTrail shows and what a later deny on
 * `aws:userid` names. The lease id makes it unique; it stays short because each such deny spends
 * characters of the role's 10,240. AWS accepts `[\w+=,.@-]{2,64}`.
 */
export function sessionNameOf(terms: Pick<GrantTerms, "leaseId">): string {
  return `agentctl-${terms.leaseId}`.replace(/[^\w+=,.@-]/g, "-").slice(0, 64);
}
