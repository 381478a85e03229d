import { type Account, appendAccount, type HappeningRecorder, type Receipt } from "./audit/index.js";
import { endGrants, orderOf } from "./clouds/index.js";
import { formatInstant } from "./core/durations.js";
import { toAgentctlError } from "./core/errors.js";
import type { Ending } from "./core/lease.js";
import type { Prepared } from "./core/prepared.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import { isUnfinished } from "./core/unfinished.js";
import type { Delivery } from "./deliver/index.js";
import { type KeptGrants, leaseRevoked, type OpenLease, type RevokeRequest, type Watchdog } from "./lease/index.js";
import { watchClosing } from "./run/index.js";

const SWEEP_WAIT_MS = 10_000;
/** What a sweep cannot break off, such as the grace of a command that it ends, is left to the next sweep. */
const SWEEP_STOP_MS = 2_000;

/** A lease while it is open, with what has to be taken down at its end as far as it stands. */
export interface HeldLease {
  readonly prepared: Prepared;
  readonly account: Account;
  readonly receipt: Receipt;
  readonly observe: Observe;
  readonly runtime: Runtime;
  readonly entry: OpenLease;
  readonly watchdog: Watchdog;
  readonly recorder: HappeningRecorder;
  /** Aborted when the lease is revoked while its command runs. */
  readonly revoked: AbortController;
  readonly unwatched: AbortController;
  readonly left: AbortController;
  readonly sweepStop: AbortController;
  /** True once the command could have its credentials. */
  isHandedOut?: boolean;
  hasLeft?: boolean;
  kept?: KeptGrants;
  delivery?: Delivery;
  ending?: Promise<readonly Ending[]>;
  /** The revocation under way, and the sweep beside the command. Neither rejects. */
  revocation?: Promise<void>;
  sweeping?: Promise<void>;
}

export function hold(
  parts: Pick<
    HeldLease,
    "prepared" | "account" | "receipt" | "observe" | "runtime" | "entry" | "watchdog" | "recorder"
  >,
): HeldLease {
  return {
    ...parts,
    revoked: new AbortController(),
    unwatched: new AbortController(),
    left: new AbortController(),
    sweepStop: new AbortController(),
  };
}

/**
 * Somebody else wants the lease to end: nothing more is handed out from here on, its grants are ended at once, and the
 * command is told or stopped, as the profile says.
 */
export async function revokeWhileRunning(held: HeldLease, request: RevokeRequest): Promise<void> {
  const { account, entry, observe, recorder, runtime } = held;
  account.revokedBy = { ...request, at: formatInstant(request.at) };
  const who = request.user === undefined ? `process ${request.pid}` : `${request.user} (process ${request.pid})`;
  observe({ kind: "warning", text: `the lease was revoked by ${who}` });
  const stopped = held.kept?.stop(leaseRevoked(request.at));
  held.revoked.abort();
  await stopped;
  const endings = await endOnce(held);
  recorder.attempt(() => entry.update({ state: "ended", endings }));
  await appendAccount("lease.revoked", account, runtime).catch((thrown: unknown) => {
    observe({ kind: "warning", text: `not on record: ${toAgentctlError(thrown).message}` });
  });
}

/** The endpoint first, so that nothing is handed out while grants are ended. Never throws. */
export async function closeLease(held: HeldLease): Promise<void> {
  const { account, observe, runtime, recorder, kept, delivery } = held;
  await kept?.stop();
  const isRemoved = (await delivery?.close()) ?? true;
  if (!isRemoved) observe({ kind: "warning", text: "the lease's private files could not be removed" });
  await recorder.settle();
  if (kept !== undefined) account.renewals = kept.renewals;
  if (delivery !== undefined && delivery.refusedCount() > 0) account.refusals = delivery.refusedCount();
  const watch = watchClosing((text) => observe({ kind: "notice", text }), runtime);
  watch.unwatched.addEventListener("abort", () => held.unwatched.abort());
  watch.signal.addEventListener("abort", () => held.left.abort());
  try {
    const endings = await endOnce(held);
    await held.revocation;
    keepUnfinished(endings, held);
    await settleSweep(held);
  } finally {
    watch.stop();
  }
}

/** A command that was short has others' leases waited for a little, or nobody would ever end them. */
async function settleSweep({ sweeping, sweepStop, unwatched, runtime }: HeldLease): Promise<void> {
  if (sweeping === undefined) return;
  const stop = (): void => sweepStop.abort();
  const isLeft = new Promise<void>((resolve) => {
    sweepStop.signal.addEventListener("abort", () => void runtime.sleep(SWEEP_STOP_MS).then(resolve), { once: true });
  });
  const timer = setTimeout(stop, SWEEP_WAIT_MS);
  unwatched.signal.addEventListener("abort", stop, { once: true });
  if (unwatched.signal.aborted) stop();
  await Promise.race([sweeping, isLeft]);
  clearTimeout(timer);
}

/** How what could not be taken back stands, for whoever finishes it. */
function keepUnfinished(endings: readonly Ending[], { entry, recorder }: HeldLease): void {
  if (unfinishedOf(endings).length > 0) recorder.attempt(() => entry.update({ state: "ending", endings }));
}

/**
 * Takes the lease out of the ledger, when all else is on record: a death before this leaves an entry to somebody who
 * finishes. What is unfinished stays there: for the watchdog where nobody waited for it here, else for a sweep. A second
 * time does nothing.
 */
export function leaveLedger(held: HeldLease): void {
  const { account, entry, observe, left, watchdog } = held;
  if (held.hasLeft === true) return;
  held.hasLeft = true;
  const unfinished = unfinishedOf(account.endings ?? []).join(", ");
  if (unfinished !== "" && left.signal.aborted) {
    observe({
      kind: "warning",
      text: `lease ${entry.id} stays in the ledger: its watchdog goes on with ${unfinished}`,
    });
    return;
  }
  if (unfinished !== "") {
    const how = `finish it with agentctl lease sweep ${entry.id}`;
    observe({ kind: "warning", text: `lease ${entry.id} stays in the ledger (${unfinished}): ${how}` });
  } else {
    try {
      entry.close();
    } catch (thrown) {
      // Told after the child's own failure, not instead of it.
      account.unclosed = toAgentctlError(thrown);
    }
  }
  watchdog.release();
}

function unfinishedOf(endings: readonly Ending[]): string[] {
  return endings.filter(isUnfinished).map(({ cloud }) => cloud);
}

/** Ends the grants, once: whoever comes second waits for the same. */
function endOnce(held: HeldLease): Promise<readonly Ending[]> {
  held.ending ??= endAll(held);
  return held.ending;
}

async function endAll(held: HeldLease): Promise<readonly Ending[]> {
  const { prepared, account, observe, runtime, entry, recorder, kept } = held;
  if (kept !== undefined) account.grants = kept.grants;
  const grants = account.grants ?? [];
  if (grants.length > 0) recorder.attempt(() => entry.update({ state: "ending", grants }));
  const isHandedOut = held.isHandedOut === true;
  const orders = grants.map((grant) => ({ ...orderOf(grant, prepared.plans, prepared.terms), isHandedOut }));
  const endings = await endGrants(
    orders,
    {
      mintToken: prepared.identity.mintToken,
      unwatched: held.unwatched.signal,
      signal: held.left.signal,
      onProgress: (text) => observe({ kind: "progress", text }),
    },
    runtime,
  );
  observe({ kind: "progress" });
  account.endings = endings;
  for (const ending of endings) observe({ kind: "ended", ending });
  return endings;
}
