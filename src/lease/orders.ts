import type { EndOrder } from "../core/lease.js";
import { isUnfinished } from "../core/unfinished.js";
import type { LeaseEntry, LedgerGrant } from "./entry.js";

/** What is left to end of a lease, by what the ledger knows: not what has ended, but what a further try may still end. */
export function ordersOf(entry: LeaseEntry): EndOrder[] {
  return entry.grants.filter(isOpen).map((grant) => toOrder(grant, entry));
}

function isOpen({ ending }: LedgerGrant): boolean {
  return ending === undefined || isUnfinished(ending) || ending.word === "failed";
}

/** What goes by the endpoint may have been renewed, up to the deadline, by an agentctl that died before it wrote that down. */
function toOrder(grant: LedgerGrant, { id, deadlineAt }: LeaseEntry): EndOrder {
  const { cloud, channel, principal, undo, issuedAt, expiresAt } = grant;
  const usableUntil = channel === "endpoint" ? deadlineAt : (grant.usableUntil ?? deadlineAt);
  return {
    leaseId: id,
    cloud,
    channel,
    principal,
    undo,
    isIssued: issuedAt !== undefined,
    usableUntil,
    ...(expiresAt !== undefined && { expiresAt: Math.max(expiresAt, usableUntil) }),
  };
}
