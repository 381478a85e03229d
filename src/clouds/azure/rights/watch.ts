import type { EndContext } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Probe } from "./probe.js";
import { withinTime } from "./within-time.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.6;
/** Resource Manager's servers do not all learn of a removal at the same moment. */
const TIMES_IN_A_ROW = 3;

/**
 * Asks, ever less often, until the lease's token has none of the permissions three times in a row; answers when it was
 * first (epoch ms), or undefined where it was not within the time, or nobody wants to wait any longer.
 */
export async function watchClosing(
  probe: Probe,
  { since, watchMs }: { readonly since: number; readonly watchMs: number },
  context: Pick<EndContext, "unwatched" | "signal" | "onProgress">,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<number | undefined> {
  const until = runtime.now() + watchMs;
  return withinTime(watchMs, [context.unwatched, context.signal], async (signal) => {
    let pauseMs = FIRST_PAUSE_MS;
    let seen: number[] = [];
    while (!signal.aborted && runtime.now() < until) {
      seen = (await probe.ask(signal)) === "closed" ? [...seen, runtime.now()] : [];
      if (seen.length === TIMES_IN_A_ROW) return seen[0];
      const waited = Math.round((runtime.now() - since) / 1000);
      context.onProgress(
        `waiting for Azure to let the lease's token do nothing more at ${probe.ready.at} (${waited}s)`,
      );
      await pauseFor(seen.length > 0 ? FIRST_PAUSE_MS : pauseMs, signal, runtime);
      pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
    }
    return undefined;
  });
}
