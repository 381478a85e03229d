import type { EndOrder, Grant, GrantPlan, LeaseTerms } from "../core/lease.js";

/** The order to end a grant that this process holds, as it was planned. */
export function orderOf(
  grant: Grant,
  plans: readonly Pick<GrantPlan, "cloud" | "undo">[],
  { leaseId }: Pick<LeaseTerms, "leaseId">,
): EndOrder {
  const { cloud, channel, principal, usableUntil, expiresAt } = grant;
  const undo = plans.find((plan) => plan.cloud === cloud)?.undo ?? {};
  return { leaseId, cloud, channel, principal, undo, isIssued: true, usableUntil, expiresAt, grant };
}
