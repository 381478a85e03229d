import type { Ending } from "./lease.js";

/** Whether a further try could still take back something of it: its lease stays in the ledger. */
export function isUnfinished(ending: Pick<Ending, "isUnfinished">): boolean {
  return ending.isUnfinished === true;
}

/**
 * Before when no further try makes sense for any of what is unfinished, since the clouds would refuse it; epoch ms.
 * Undefined where one may be made at once, or nothing is unfinished.
 */
export function queuedUntil(endings: readonly Retried[]): number | undefined {
  const unfinished = endings.filter(isUnfinished);
  return unfinished.every(({ retryAt }) => retryAt !== undefined) ? lastRetryOf(unfinished) : undefined;
}

/** The last of the times before which a cloud would refuse a further try (epoch ms); undefined where none named one. */
export function lastRetryOf(endings: readonly Retried[]): number | undefined {
  const times = endings
    .filter(isUnfinished)
    .flatMap(({ retryAt }) => (retryAt === undefined ? [] : Date.parse(retryAt)));
  return times.length === 0 ? undefined : Math.max(...times);
}

type Retried = Pick<Ending, "isUnfinished" | "retryAt">;
