import { appendAccount } from "./audit/index.js";
import { formatInstant } from "./core/durations.js";
import { toAgentctlError } from "./core/errors.js";
import type { Ending } from "./core/lease.js";
import { isUnfinished, lastRetryOf } from "./core/unfinished.js";
import { endOnce } from "./ending-session.js";
import { type HeldLease, noteRevoked } from "./held-session.js";
import { leaseRevoked, type RevokeRequest } from "./lease/index.js";
import { watchClosing } from "./run/index.js";

const SWEEP_WAIT_MS = 10_000;
/** What a sweep cannot break off, such as the grace of a command that it ends, is left to the next sweep. */
const SWEEP_STOP_MS = 2_000;

/**
 * Somebody else wants the lease to end: nothing more is handed out from here on, its grants are ended at once, and the
 * command is told or stopped, as the profile says.
 */
export async function revokeWhileRunning(held: HeldLease, request: RevokeRequest): Promise<void> {
  const { account, entry, observe, recorder, runtime } = held;
  noteRevoked(held, request);
  const stopped = held.kept?.stop(leaseRevoked(request.at));
  held.revoked.abort();
  await stopped;
  const endings = await endOnce(held);
  recorder.attempt(() => entry.update({ state: "ended", endings }));
  await appendAccount("lease.revoked", account, runtime).catch((thrown: unknown) => {
    observe({ kind: "warning", text: `not on record: ${toAgentctlError(thrown).message}` });
  });
}

/**
 * At its deadline what was given for the lease is taken back, though the command may go on: unlike a credential it would
 * not end by itself then.
 */
export async function endAtDeadline(held: HeldLease): Promise<void> {
  const endings = await endOnce(held);
  held.recorder.attempt(() => held.entry.update({ state: "ended", endings }));
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
  const notify = (text: string) => observe({ kind: "notice", text });
  const watch = watchClosing(notify, runtime, { stageNow: () => held.closing });
  watch.unwatched.addEventListener("abort", () => held.unwatched.abort());
  watch.signal.addEventListener("abort", () => held.left.abort());
  try {
    const endings = await endOnce(held);
    await held.earlyEnd;
    held.closing = "ended";
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
 * finishes. What is unfinished stays there: for the watchdog where nobody waited for it here, or its cloud takes it back
 * only later; else for a sweep. A second time does nothing.
 */
export function leaveLedger(held: HeldLease): void {
  const { account, entry, observe, left, watchdog } = held;
  if (held.hasLeft === true) return;
  held.hasLeft = true;
  const endings = account.endings ?? [];
  const unfinished = unfinishedOf(endings).join(", ");
  const retryAt = lastRetryOf(endings);
  if (retryAt !== undefined) {
    const how = `its watchdog then takes back what ${unfinished} gave, if this machine still runs`;
    observe({ kind: "notice", text: `lease ${entry.id} stays in the ledger until ${formatInstant(retryAt)}: ${how}` });
    return;
  }
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
