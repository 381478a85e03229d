import { formatDuration } from "../../../core/durations.js";
import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { RightsContext } from "../../../core/lease.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { askMissing, HAS_NONE } from "./permissions.js";
import type { Readiness } from "./rights-settings.js";

/** Resource Manager's servers do not all learn of an assignment at the same moment. */
const TIMES_IN_A_ROW = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
const GROWTH = 1.5;
/** What may be over by the next time. */
const PASSING: readonly string[] = ["UNREACHABLE", "THROTTLED", "SERVICE_FAILED"];

export interface Awaiting {
  /** By the lease's own token. */
  readonly arm: Arm;
  readonly clientId: string;
  readonly ready: Readiness;
  /** Those of the permissions that are on data. */
  readonly onData: readonly string[];
  readonly timeoutSeconds: number;
}

/**
 * Asks, ever less often, until all permissions are there three times in a row.
 * @throws {AgentctlError} NOT_READY with what is missing, and as `Arm` does
 */
export async function awaitReady(
  awaiting: Awaiting,
  context: Pick<RightsContext, "signal" | "onProgress">,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<void> {
  const { clientId, ready, timeoutSeconds } = awaiting;
  const startedAt = runtime.now();
  const until = startedAt + timeoutSeconds * 1000;
  let pauseMs = FIRST_PAUSE_MS;
  let inARow = 0;
  let missing = ready.permissions;
  while (true) {
    missing = await missingNow(awaiting, missing);
    inARow = missing.length === 0 ? inARow + 1 : 0;
    if (inARow === TIMES_IN_A_ROW) return;
    const now = runtime.now();
    if (missing.length > 0 && now >= until) throw notReady(clientId, ready.at, missing, timeoutSeconds);
    const wanted = missing.length > 0 ? missing : ready.permissions;
    context.onProgress(`waiting for ${wanted.join(", ")} at ${ready.at}`, { since: startedAt, until });
    await pauseFor(inARow > 0 ? FIRST_PAUSE_MS : Math.min(pauseMs, until - now), context.signal, runtime);
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }
}

async function missingNow({ arm, ready, onData }: Awaiting, before: readonly string[]): Promise<readonly string[]> {
  try {
    return await askMissing(arm, ready, onData);
  } catch (thrown) {
    const isNothing = HAS_NONE.includes(azureCodeOf(thrown) ?? "");
    if (isNothing) return ready.permissions;
    if (!PASSING.includes(toAgentctlError(thrown).code)) throw thrown;
    return before.length > 0 ? before : ready.permissions;
  }
}

function notReady(clientId: string, at: string, missing: readonly string[], timeoutSeconds: number): AgentctlError {
  const waited = formatDuration(timeoutSeconds);
  return new AgentctlError(
    "NOT_READY",
    `application ${clientId} does not have ${missing.join(", ")} at ${at} after ${waited}`,
    {
      hint: `${missing.length === 1 ? "it may be misspelt, or not" : "they may be misspelt, or not all"} in the roles given: check azure.ready; or raise azure.ready.timeout, since Azure says up to 10 minutes; a role outlives an agentctl that was killed by up to twice that timeout`,
      facts: { missing, at, waitedSeconds: timeoutSeconds },
    },
  );
}
