import { readEvents } from "./audit/index.js";
import { sweepClouds } from "./clouds/index.js";
import { listProfiles, loadProfile } from "./config/index.js";
import { AgentctlError, toAgentctlError } from "./core/errors.js";
import type { Ending } from "./core/lease.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import type { CloudSweep, SweepReport, SweptLease } from "./core/sweep-report.js";
import { type Finisher, finishLease } from "./finish-session.js";
import { acquireIdentity, requireKnownSource } from "./identity/index.js";
import {
  findEnder,
  findLease,
  listLeases,
  requestRevocation,
  selectLeases,
  sweepFiles,
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
}

export interface RevokeOrder {
  readonly ids: readonly string[];
  readonly all: boolean;
  readonly profileName?: string;
  readonly identitySource?: string;
}

/** An agentctl that is being torn down is not dead at once. */
const OWNER_GONE_MS = 10_000;
/** A running agentctl looks for the mark twice a second. */
const NOTICED_MS = 5_000;
const SETTLED_MS = 120_000;
const LOOK_MS = 100;

/**
 * Ends the leases of agentctl processes that died, one after the other, and clears away what they left. What another
 * process is ending, such as a watchdog, is waited for: whoever sweeps at the end of a job may be the last who lives.
 * @throws {AgentctlError} USAGE for an id or an identity source that is none; STATE_UNWRITABLE; with `cloud`, what the
 *   clouds refuse
 */
export async function sweepSession(request: SweepRequest, observe: Observe, runtime: Runtime): Promise<SweepReport> {
  const { asWatchdog, identitySource, profileName } = request;
  if (identitySource !== undefined) requireKnownSource(identitySource, runtime);
  const watch = asWatchdog
    ? ignoreSignals(runtime)
    : watchClosing((text) => observe({ kind: "notice", text }), runtime, "the next sweep");
  try {
    if (asWatchdog) await Promise.all(request.ids.map((id) => waitUntilOwnerDead(id, runtime, OWNER_GONE_MS)));
    const ids = asWatchdog ? request.ids : chooseLeases(request, runtime);
    const by = asWatchdog ? ("watchdog" as const) : ("sweep" as const);
    const finisher = { by, ...(identitySource !== undefined && { identitySource }), ...watch };
    const leases: SweptLease[] = [];
    for (const id of ids) {
      if (watch.signal.aborted) break;
      if (asWatchdog) leases.push(...(await finishAsWatchdog(id, finisher, runtime)));
      else leases.push(await finishOrWait(id, finisher, observe, runtime));
    }
    const files = request.ids.length === 0 && profileName === undefined ? sweepFiles(runtime) : [];
    return { leases, files, clouds: request.cloud ? await sweepEveryCloud(request, watch.signal, runtime) : [] };
  } finally {
    watch.stop();
  }
}

/** One that cannot be claimed, such as on a full disk, keeps nobody from ending the others. */
async function tryToFinish(id: string, finisher: Finisher, observe: Observe, runtime: Runtime): Promise<SweptLease> {
  try {
    return await finishLease(id, finisher, observe, runtime);
  } catch (thrown) {
    return { id, outcome: "unfinished", endings: [], problem: toAgentctlError(thrown).message };
  }
}

/**
 * The terminal is somebody else's again by the time that a watchdog works, so no progress is drawn; and where another
 * process ends the lease, that tells of it.
 */
async function finishAsWatchdog(id: string, finisher: Finisher, runtime: Runtime): Promise<readonly SweptLease[]> {
  const swept = await tryToFinish(id, finisher, unobserved, runtime);
  return ["running", "busy", "gone"].includes(swept.outcome) ? [] : [swept];
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
    const swept = await tryToFinish(id, finisher, observe, runtime);
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
  const kinds = [["orphaned", "unreadable"], ["ending"]] as const;
  return kinds.flatMap((states) => selectLeases(leases, { ...profile, states }, runtime.now()).map(({ id }) => id));
}

async function sweepEveryCloud(request: SweepRequest, signal: AbortSignal, runtime: Runtime): Promise<CloudSweep[]> {
  const names =
    request.profileName === undefined ? listProfiles(request, runtime).map(({ name }) => name) : [request.profileName];
  const swept: CloudSweep[] = [];
  for (const profileName of names) {
    const profile = loadProfile({ ...request, profileName }, runtime);
    const source = request.identitySource ?? profile.identitySource;
    const mintToken = async (audiences: readonly string[]) =>
      (await acquireIdentity({ source, audiences: [{ cloud: "aws", audiences }], signal }, runtime)).mintToken(
        audiences,
      );
    const found = await sweepClouds(profile, { mintToken, signal }, runtime);
    swept.push(...found.map((sweep) => ({ ...sweep, profile: profileName })));
  }
  return swept;
}

/**
 * Ends leases whoever holds them: a running agentctl is asked to, and told by nothing else than the ledger; where it
 * does not answer, or is dead, they are ended from here.
 * @throws {AgentctlError} USAGE for an id that is none, or when nothing was chosen; STATE_UNWRITABLE
 */
export async function revokeSession(order: RevokeOrder, observe: Observe, runtime: Runtime): Promise<SweepReport> {
  const { identitySource } = order;
  if (identitySource !== undefined) requireKnownSource(identitySource, runtime);
  const watch = watchClosing((text) => observe({ kind: "notice", text }), runtime, "the next sweep");
  const finisher = { by: "revoke" as const, ...(identitySource !== undefined && { identitySource }), ...watch };
  try {
    const ids = chooseToRevoke(order, runtime);
    const leases = await Promise.all(
      ids.map(async (id) => {
        if (requestRevocation(id, runtime)) {
          const answered = await waitForEnd(id, watch.signal, runtime);
          if (answered !== undefined) return answered;
        }
        return tryToFinish(id, { ...finisher, force: true }, observe, runtime);
      }),
    );
    return { leases, files: [], clouds: [] };
  } finally {
    watch.stop();
  }
}

function chooseToRevoke({ ids, all, profileName }: RevokeOrder, runtime: Runtime): readonly string[] {
  if (ids.length > 0) return ids.map((id) => findLease(id, runtime).id);
  if (!all && profileName === undefined) {
    throw new AgentctlError("USAGE", "say which leases to revoke", { hint: "give ids, -p NAME or --all" });
  }
  const profile = profileName === undefined ? {} : { profile: profileName };
  return selectLeases(listLeases(runtime), profile, runtime.now()).map(({ id }) => id);
}

/** What the running agentctl made of it; undefined when it is dead, or does nothing about it. */
async function waitForEnd(id: string, signal: AbortSignal, runtime: Runtime): Promise<SweptLease | undefined> {
  const startedAt = runtime.now();
  while (!signal.aborted) {
    const lease = listLeases(runtime).find((each) => each.id === id);
    if (lease === undefined) return recordedEnd(id, runtime);
    if (lease.state === "orphaned" || lease.state === "unreadable") return undefined;
    const { entry } = lease;
    const endings = entry.grants.flatMap(({ ending }) => ending ?? []);
    if (entry.state === "ended") return { id, profile: entry.profile, outcome: outcomeOf(endings), endings };
    const patience = entry.state === "ending" ? SETTLED_MS : NOTICED_MS;
    if (runtime.now() - startedAt > patience) return undefined;
    await runtime.sleep(LOOK_MS);
  }
  return undefined;
}

function outcomeOf(endings: readonly Ending[]): SweptLease["outcome"] {
  return endings.some(({ isUnfinished }) => isUnfinished === true) ? "unfinished" : "ended";
}

/** A lease that has left the ledger is told of by the audit log. */
async function recordedEnd(id: string, runtime: Runtime): Promise<SweptLease> {
  let told: Pick<SweptLease, "profile" | "endings"> = { endings: [] };
  for await (const { record } of readEvents({ lease: id }, runtime)) {
    const { profile, endings = told.endings } = record;
    told = { ...told, ...(profile !== undefined && { profile }), endings };
  }
  return { id, outcome: "ended", ...told };
}

/**
 * Finishes, beside a command that runs, what agentctl processes that died have left behind; told in a line each.
 * Never rejects.
 */
export async function sweepBeside(
  ownId: string,
  signal: AbortSignal,
  observe: Observe,
  runtime: Runtime,
): Promise<void> {
  try {
    const orphans = selectLeases(listLeases(runtime), { states: ["orphaned"] }, runtime.now());
    for (const { id } of orphans.filter((orphan) => orphan.id !== ownId)) {
      if (signal.aborted) return;
      const swept = await finishLease(id, { by: "run", unwatched: signal, signal }, unobserved, runtime);
      if (swept.outcome === "ended" || swept.outcome === "unfinished") observe({ kind: "swept", lease: swept });
    }
  } catch (thrown) {
    observe({
      kind: "warning",
      text: `leases that earlier agentctl processes left open: ${toAgentctlError(thrown).message}`,
    });
  }
}

const unobserved: Observe = () => {};
