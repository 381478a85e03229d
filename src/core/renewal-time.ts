/** No earlier than this before its end: most tokens of an hour and more are not worth replacing sooner. */
const LONGEST_LEAD_MS = 600_000;

/**
 * When a grant that can be renewed is due for it (epoch ms): with a third of its life left, since the SDKs ask for
 * a new one minutes ahead, and a cloud that is away for a while must not be noticed.
 */
export function renewalDueAt({ issuedAt, usableUntil }: { issuedAt: number; usableUntil: number }): number {
  return usableUntil - Math.min((usableUntil - issuedAt) / 3, LONGEST_LEAD_MS);
}
