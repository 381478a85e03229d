import { sweepProfiles } from "./cloud-sweep-session.js";
import { toAgentctlError } from "./core/errors.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import type { SweepOutcome, SweepReport, SweptLease } from "./core/sweep-report.js";
import { lastRetryOf } from "./core/unfinished.js";
import { type Finisher, finishLease, tryToFinish } from "./finish-session.js";
import { requireKnownSource } from "./identity/index.js";
import {
  findEnder,
  findLease,
  haveWaiter,
  leaseQueuedUntil,
  listLeases,
  lockLease,
  selectLeases,
  startSuccessor,
  sweepFiles,
  waitInQueue,
  waitUntilOwnerDead,
  waitWhileEnding,
} from "./lease/index.js";
import { ignoreSignals, watchClosing } from "./run/index.js";

export interface SweepRequest {
  /** Whole ids or unique beginnings; none means every lease whose agentctl is dead. */
  readonly ids: readonly string[];
  readonly profileName?: string;
  readonly configPath?: string;
  readonly identitySource?: string;
  /** Look in the profiles' clouds as well, for what no ledger tells of. */
  readonly cloud: boolean;
  readonly asWatchdog: boolean;
  /** With `asWatchdog`: of leases that wait for their cloud's time. */
  readonly isQueued?: boolean;
}

/** An agentctl that is being torn down is not dead at once. */
const OWNER_GONE_MS = 10_000;
const SETTLED_MS = 120_000;
const LOOK_MS = 100;
const MOST_ROUNDS = 5;
const TOLD_BESIDE: readonly SweepOutcome[] = ["ended", "unfinished", "queued"];

/**
 * Ends the leases of agentctl processes that died, one after the other, and clears away what they left. What another
 * process is ending, such as a watchdog, is waited for: whoever sweeps at the end of a job may be the last who lives.
 * @throws {AgentctlError} USAGE for an id or an identity source that is none; STATE_UNWRITABLE
 */
export async function sweepSession(request: SweepRequest, observe: Observe, runtime: Runtime): Promise<SweepReport> {
  const { asWatchdog, identitySource, profileName } = request;
  if (identitySource !== undefined) requireKnownSource(identitySource, runtime);
  const watch = asWatchdog
    ? ignoreSignals(runtime)
    : watchClosing((text) => observe({ kind: "notice", text }), runtime, { finisher: "the next sweep" });
  try {
    if (asWatchdog) await Promise.all(request.ids.map((id) => waitUntilOwnerDead(id, runtime, OWNER_GONE_MS)));
    const ids = asWatchdog ? request.ids : chooseLeases(request, runtime);
    const finishForDead = request.isQueued === true ? finishQueued : finishAsWatchdog;
    const by = asWatchdog ? ("watchdog" as const) : ("sweep" as const);
    const finisher = { by, ...(identitySource !== undefined && { identitySource }), ...watch };
    const leases: SweptLease[] = [];
    for (const id of ids) {
      if (watch.signal.aborted) break;
      if (asWatchdog) leases.push(...(await finishForDead(id, finisher, runtime)));
      else leases.push(await finishOrWait(id, finisher, observe, runtime));
    }
    const files = request.ids.length === 0 && profileName === undefined ? sweepFiles(runtime) : [];
    const swept = request.cloud ? await sweepProfiles(request, watch.signal, runtime) : { clouds: [], failures: [] };
    return { leases, files, ...swept };
  } finally {
    watch.stop();
  }
}

/**
 * The terminal is somebody else's again by the time that a watchdog works, so no progress is drawn; and where another
 * process ends the lease, that tells of it. What its cloud takes back only later is left to a successor.
 */
async function finishAsWatchdog(id: string, finisher: Finisher, runtime: Runtime): Promise<readonly SweptLease[]> {
  if (leaseQueuedUntil(id, runtime) !== undefined) {
    startSuccessor(id, finisher.identitySource, runtime);
    return [];
  }
  const swept = seeToQueue(await tryToFinish(id, finisher, unobserved, runtime), finisher, runtime);
  return ["running", "busy", "gone"].includes(swept.outcome) ? [] : [swept];
}

/** What its cloud takes back only later is waited for by somebody, who is told. */
function seeToQueue(
  swept: SweptLease,
  { identitySource }: Pick<Finisher, "identitySource">,
  runtime: Runtime,
): SweptLease {
  if (lastRetryOf(swept.endings) === undefined) return swept;
  const pid = haveWaiter(swept.id, identitySource, runtime);
  return pid === undefined ? swept : { ...swept, waiter: { is: "watchdog", pid } };
}

/** The successor: its output goes nowhere. A cloud that names one time after the other is left to a sweep in the end. */
async function finishQueued(id: string, finisher: Finisher, runtime: Runtime): Promise<readonly SweptLease[]> {
  const queue = await lockLease(id, runtime, "queue");
  if (queue === undefined) return [];
  try {
    for (let round = 1; ; round += 1) {
      await waitInQueue(id, runtime);
      const swept = await tryToFinish(id, finisher, unobserved, runtime);
      if (lastRetryOf(swept.endings) === undefined || round === MOST_ROUNDS) return [swept];
    }
  } finally {
    await queue.release();
  }
}

/** Whom to wait for may change on the way: one gives up, and another takes its place, or this process does. */
async function finishOrWait(id: string, finisher: Finisher, observe: Observe, runtime: Runtime): Promise<SweptLease> {
  const waitUntil = runtime.now() + SETTLED_MS;
  const lease = listLeases(runtime).find((each) => each.id === id);
  const profile = lease === undefined || lease.state === "unreadable" ? {} : { profile: lease.entry.profile };
  const rules = {
    waitUntil,
    signal: finisher.unwatched,
    onWaiting: (pid: number) =>
      observe({ kind: "notice", text: `waiting for process ${pid}, which is ending lease ${id}` }),
  };
  for (;;) {
    if (!(await waitWhileEnding(id, rules, runtime))) return { id, ...profile, outcome: "busy", endings: [] };
    const swept = seeToQueue(await tryToFinish(id, finisher, observe, runtime), finisher, runtime);
    const isTaken = swept.outcome === "busy" || (swept.outcome === "running" && findEnder(id, runtime) !== undefined);
    if (!isTaken || runtime.now() >= waitUntil || finisher.unwatched.aborted) return { ...profile, ...swept };
    await runtime.sleep(LOOK_MS);
  }
}

/** What others are ending comes last, so that nothing waits for them. */
function chooseLeases({ ids, profileName }: SweepRequest, runtime: Runtime): readonly string[] {
  if (ids.length > 0) return ids.map((id) => findLease(id, runtime).id);
  const profile = profileName === undefined ? {} : { profile: profileName };
  const leases = listLeases(runtime);
  const kinds = [["orphaned", "queued", "unreadable"], ["ending"]] as const;
  return kinds.flatMap((states) => selectLeases(leases, { ...profile, states }, runtime.now()).map(({ id }) => id));
}

/**
 * Finishes, beside a command that runs, what agentctl processes that died have left behind; told in a line each. What is
 * queued has somebody wait for it again where whoever did was killed.
 * Never rejects.
 */
export async function sweepBeside(
  ownId: string,
  signal: AbortSignal,
  observe: Observe,
  runtime: Runtime,
): Promise<void> {
  try {
    const leases = listLeases(runtime);
    for (const { id } of selectLeases(leases, { states: ["queued"] }, runtime.now())) {
      haveWaiter(id, undefined, runtime);
    }
    const orphans = selectLeases(leases, { states: ["orphaned"] }, runtime.now());
    for (const { id } of orphans.filter((orphan) => orphan.id !== ownId)) {
      if (signal.aborted) return;
      const finished = await finishLease(id, { by: "run", unwatched: signal, signal }, unobserved, runtime);
      const swept = seeToQueue(finished, {}, runtime);
      if (TOLD_BESIDE.includes(swept.outcome)) observe({ kind: "swept", lease: swept });
    }
  } catch (thrown) {
    observe({
      kind: "warning",
      text: `leases that earlier agentctl processes left open: ${toAgentctlError(thrown).message}`,
    });
  }
}

const unobserved: Observe = () => {};
