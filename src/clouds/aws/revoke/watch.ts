import type { EndContext } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import { withinTime } from "../within-time.js";
import type { Probe } from "./probe.js";

const FIRST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 2_000;
const GROWTH = 1.6;
/** AWS's servers do not all learn of a deny at the same moment. */
const REFUSALS_IN_A_ROW = 2;

export interface Watching {
  /** Since when the deny is on the role; epoch ms. */
  readonly since: number;
  readonly watchMs: number;
  /** Where and what is waited for. */
  readonly text: string;
}

/**
 * Asks, ever less often, until the session is refused twice in a row; answers when it was first (epoch ms), or undefined
 * where it was not within the time, or nobody wants to wait any longer.
 */
export async function watchRefusal(
  probe: Probe,
  { since, watchMs, text }: Watching,
  context: Pick<EndContext, "unwatched" | "signal" | "onProgress">,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<number | undefined> {
  const until = runtime.now() + watchMs;
  return withinTime(watchMs, [context.unwatched, context.signal], async (signal) => {
    let pauseMs = FIRST_PAUSE_MS;
    let refusals: number[] = [];
    while (!signal.aborted && runtime.now() < until) {
      const seen = await probe.ask(signal);
      refusals = seen === "denied" ? [...refusals, runtime.now()] : [];
      if (refusals.length === REFUSALS_IN_A_ROW) return refusals[0];
      context.onProgress(`${text} (${Math.round((runtime.now() - since) / 1000)}s)`);
      await pauseFor(refusals.length > 0 ? FIRST_PAUSE_MS : pauseMs, signal, runtime);
      pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
    }
    return undefined;
  });
}
