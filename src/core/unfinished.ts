import type { Ending } from "./lease.js";

/** Whether a further try could still take back something of it: its lease stays in the ledger. */
export function isUnfinished(ending: Pick<Ending, "isUnfinished">): boolean {
  return ending.isUnfinished === true;
}

/**
 * Before when no further try makes sense for any of what is unfinished, since the clouds would refuse it; epoch ms.
 * Undefined where one may be made at once, or nothing is unfinished.
 */
export function queuedUntil(endings: readonly Pick<Ending, "isUnfinished" | "retryAt">[]): number | undefined {
  const times = endings.filter(isUnfinished).map(({ retryAt }) => Date.parse(retryAt ?? ""));
  return times.length === 0 || times.some(Number.isNaN) ? undefined : Math.max(...times);
}
