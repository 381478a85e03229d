/**
 * What this process knows of the leases that it opens itself: whether it has begun to ask for anything. So a lease that
 * fails before, as where the granter is not let in, is known to have been given nothing, and nobody has to be asked.
 */
const BEGUN = new Map<string, boolean>();

export type Knowledge = "nothing asked" | "asked" | "unknown";

export function noteOpening(leaseId: string): void {
  BEGUN.set(leaseId, false);
}

/** To be told before the first assignment is asked for. */
export function noteAsking(leaseId: string): void {
  BEGUN.set(leaseId, true);
}

export function knowledgeOf(leaseId: string): Knowledge {
  const isAsked = BEGUN.get(leaseId);
  if (isAsked === undefined) return "unknown";
  return isAsked ? "asked" : "nothing asked";
}
