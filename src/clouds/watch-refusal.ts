import type { EndContext } from "../core/lease.js";
import { pauseFor } from "../core/retry.js";
import type { Runtime } from "../core/runtime.js";
import { withinTime } from "./within-time.js";

const GROWTH = 1.6;

/** How a credential is watched until what was taken back is refused to it. */
export interface Watching {
  /** Since when it is taken back; epoch ms. */
  readonly since: number;
  readonly watchMs: number;
  /** Where and what is waited for. */
  readonly text: string;
  /** A cloud's servers do not all learn of a change at the same moment. */
  readonly timesInARow: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/**
 * Asks `isRefused`, ever less often, until it is true several times in a row; answers when it was first (epoch ms), or
 * undefined where it was not within the time, or nobody wants to wait any longer.
 */
export async function watchRefusal(
  isRefused: (signal: AbortSignal) => Promise<boolean>,
  { since, watchMs, text, timesInARow, firstPauseMs, longestPauseMs }: Watching,
  context: Pick<EndContext, "unwatched" | "signal" | "onProgress">,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<number | undefined> {
  const until = runtime.now() + watchMs;
  const wait = { since, until };
  return withinTime(watchMs, [context.unwatched, context.signal], async (signal) => {
    let pauseMs = firstPauseMs;
    let refusals: number[] = [];
    while (!signal.aborted && runtime.now() < until) {
      refusals = (await isRefused(signal)) ? [...refusals, runtime.now()] : [];
      if (refusals.length === timesInARow) return refusals[0];
      context.onProgress(text, wait);
      await pauseFor(refusals.length > 0 ? firstPauseMs : pauseMs, signal, runtime);
      pauseMs = Math.min(pauseMs * GROWTH, longestPauseMs);
    }
    return undefined;
  });
}
