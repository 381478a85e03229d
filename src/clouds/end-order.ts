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

/** The order to end what this process has asked for, as it was planned, and was not issued; nobody was given anything. */
export function orderOfPlan(
  { cloud, channel, principal, undo }: Pick<GrantPlan, "cloud" | "channel" | "principal" | "undo">,
  { leaseId, deadlineAt }: Pick<LeaseTerms, "leaseId" | "deadlineAt">,
): EndOrder {
  return {
    leaseId,
    cloud,
    channel,
    principal,
    undo,
    isIssued: false,
    isHandedOut: false,
    usableUntil: deadlineAt,
  };
}
