import { AgentctlError } from "../../../core/errors.js";
import type { EndContext, EndOrder } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import { grantSecret } from "../../grant-secret.js";
import type { Bearer } from "./ask-rights.js";
import { testPermissions } from "./policy-client.js";
import type { Target } from "./undo.js";
import { withinTime } from "./within-time.js";

const PROBE_LIMITS = { attempts: 2, requestMs: 4_000 };
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3_000;
const GROWTH = 1.6;
/** Google's servers do not all learn of a change at the same moment. */
const REFUSALS_IN_A_ROW = 2;

/** Asks with the lease's own token which of the permissions seen working it has; undefined where Google does not say. */
export type Probe = (signal: AbortSignal) => Promise<readonly string[] | undefined>;

/** Undefined where there is nothing to ask with, or about. */
export function openProbe(order: EndOrder, { ready }: Target, runtime: Runtime): Probe | undefined {
  if (order.grant === undefined || ready === undefined) return undefined;
  const { value: token, usableUntil: expiresAt } = grantSecret(order.grant, "token");
  const bearer: Bearer = { who: order.principal, token, expiresAt };
  return async (signal) => {
    try {
      return await testPermissions(ready.resource, ready.permissions, bearer, {
        signal,
        runtime,
        limits: PROBE_LIMITS,
      });
    } catch (error) {
      if (error instanceof AgentctlError) return undefined;
      throw error;
    }
  };
}

export interface Watching {
  /** What the token had before. */
  readonly before: readonly string[];
  readonly watchMs: number;
  /** What is waited for. */
  readonly text: string;
}

/**
 * Asks, ever less often, until the token has none of them, twice in a row; answers when that was first (epoch ms), or
 * undefined where it was not within the time, or nobody wants to wait any longer.
 */
export async function watchRefusal(
  probe: Probe,
  { before, watchMs, text }: Watching,
  context: Pick<EndContext, "unwatched" | "signal" | "onProgress">,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<number | undefined> {
  const startedAt = runtime.now();
  const until = startedAt + watchMs;
  return withinTime(watchMs, [context.unwatched, context.signal], async (signal) => {
    let pauseMs = FIRST_PAUSE_MS;
    let refusals: number[] = [];
    while (!signal.aborted && runtime.now() < until) {
      const granted = await probe(signal);
      const isRefused = granted !== undefined && !before.some((permission) => granted.includes(permission));
      refusals = isRefused ? [...refusals, runtime.now()] : [];
      if (refusals.length === REFUSALS_IN_A_ROW) return refusals[0];
      context.onProgress(`${text} (${Math.round((runtime.now() - startedAt) / 1000)}s)`);
      await pauseFor(refusals.length > 0 ? FIRST_PAUSE_MS : pauseMs, signal, runtime);
      pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
    }
    return undefined;
  });
}
