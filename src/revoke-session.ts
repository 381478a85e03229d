import { findRecordedEnd } from "./audit/index.js";
import { AgentctlError } from "./core/errors.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import { outcomeOf, type SweepReport, type SweptLease } from "./core/sweep-report.js";
import { lastRetryOf } from "./core/unfinished.js";
import { tryToFinish } from "./finish-session.js";
import { requireKnownSource } from "./identity/index.js";
import { findLease, haveWaiter, type ListedLease, listLeases, requestRevocation, selectLeases } from "./lease/index.js";
import { watchClosing } from "./run/index.js";

export interface RevokeOrder {
  readonly ids: readonly string[];
  readonly all: boolean;
  readonly profileName?: string;
  readonly identitySource?: string;
}

/** A running agentctl looks for the mark twice a second. */
const NOTICED_MS = 5_000;
const SETTLED_MS = 120_000;
const LOOK_MS = 100;

/**
 * Ends leases whoever holds them: a running agentctl is asked to, and told by nothing else than the ledger; where it
 * does not answer, or is dead, they are ended from here.
 * @throws {AgentctlError} USAGE for an id that is none, or when nothing was chosen; STATE_UNWRITABLE
 */
export async function revokeSession(order: RevokeOrder, observe: Observe, runtime: Runtime): Promise<SweepReport> {
  const { identitySource } = order;
  if (identitySource !== undefined) requireKnownSource(identitySource, runtime);
  const watch = watchClosing((text) => observe({ kind: "notice", text }), runtime, { finisher: "the next sweep" });
  const finisher = { by: "revoke" as const, ...(identitySource !== undefined && { identitySource }), ...watch };
  try {
    const leases = await Promise.all(
      chooseToRevoke(order, runtime).map(async (lease) => {
        const { id } = lease;
        if (requestRevocation(id, runtime)) {
          const answered = await waitForEnd(lease, identitySource, watch.signal, runtime);
          if (answered !== undefined) return answered;
        }
        const swept = await tryToFinish(id, { ...finisher, force: true }, observe, runtime);
        return lastRetryOf(swept.endings) === undefined ? swept : withWatchdog(swept, identitySource, runtime);
      }),
    );
    return { leases, files: [], clouds: [], failures: [] };
  } finally {
    watch.stop();
  }
}

function chooseToRevoke({ ids, all, profileName }: RevokeOrder, runtime: Runtime): readonly ListedLease[] {
  if (ids.length > 0) return ids.map((id) => findLease(id, runtime));
  if (!all && profileName === undefined) {
    throw new AgentctlError("USAGE", "say which leases to revoke", { hint: "give ids, -p NAME or --all" });
  }
  const profile = profileName === undefined ? {} : { profile: profileName };
  return selectLeases(listLeases(runtime), profile, runtime.now());
}

/** What the running agentctl made of it; undefined when it is dead, or does nothing about it. */
async function waitForEnd(
  chosen: ListedLease,
  identitySource: string | undefined,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<SweptLease | undefined> {
  const { id } = chosen;
  const startedAt = runtime.now();
  while (!signal.aborted) {
    const lease = listLeases(runtime).find((each) => each.id === id);
    if (lease === undefined) return recordedEnd(chosen, runtime);
    if (lease.state === "orphaned" || lease.state === "unreadable") return undefined;
    const { entry } = lease;
    const endings = entry.grants.flatMap(({ ending }) => ending ?? []);
    const outcome = outcomeOf(endings);
    const found = { id, profile: entry.profile, outcome, endings };
    // Whoever waits for a cloud's time may wait long.
    if (lease.state === "queued") return withWatchdog(found, identitySource, runtime);
    const is = entry.state === "ended" ? "command" : "agentctl";
    if (outcome === "queued") return { ...found, waiter: { is, pid: entry.owner.pid } };
    if (entry.state === "ended") return found;
    const patience = entry.state === "ending" ? SETTLED_MS : NOTICED_MS;
    if (runtime.now() - startedAt > patience) return undefined;
    await runtime.sleep(LOOK_MS);
  }
  return undefined;
}

/** What its cloud takes back only later is waited for by somebody, who is told. */
function withWatchdog(swept: SweptLease, identitySource: string | undefined, runtime: Runtime): SweptLease {
  const pid = haveWaiter(swept.id, identitySource, runtime);
  return pid === undefined ? swept : { ...swept, waiter: { is: "watchdog", pid } };
}

/** A lease that has left the ledger is told of by the audit log. */
async function recordedEnd(chosen: ListedLease, runtime: Runtime): Promise<SweptLease> {
  const { id } = chosen;
  const endings = (await findRecordedEnd(id, runtime))?.endings ?? [];
  const profile = chosen.state === "unreadable" ? {} : { profile: chosen.entry.profile };
  return { id, ...profile, outcome: "ended", endings };
}
