import type { EndOrder } from "../core/lease.js";
import { isUnfinished, queuedUntil } from "../core/unfinished.js";
import type { LeaseEntry, LedgerGrant } from "./entry.js";

/**
 * What is left to end of a lease, by what the ledger knows: not what has ended, but what a further try may still end, and
 * what its cloud would let be ended by `now` (epoch ms).
 */
export function ordersOf(entry: LeaseEntry, now: number): EndOrder[] {
  return entry.grants.filter((grant) => isDue(grant, now)).map((grant) => toOrder(grant, entry));
}

function isDue({ ending }: LedgerGrant, now: number): boolean {
  if (ending === undefined || ending.word === "failed") return true;
  return isUnfinished(ending) && (queuedUntil([ending]) ?? now) <= now;
}

/** Until when all that is left to end of a lease has to wait (epoch ms); undefined where there is something to do now. */
export function entryQueuedUntil({ grants }: Pick<LeaseEntry, "grants">): number | undefined {
  const endings = grants.flatMap(({ ending }) => ending ?? []);
  return endings.length < grants.length ? undefined : queuedUntil(endings);
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
