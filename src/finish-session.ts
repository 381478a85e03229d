import {
  appendFinishedLease,
  type ChainHead,
  type FinishedLease,
  findRecordedEnd,
  writeFinishedReceipt,
} from "./audit/index.js";
import { endGrants } from "./clouds/index.js";
import { readAuditSinks } from "./config/index.js";
import { toAgentctlError } from "./core/errors.js";
import type { LeaseFinisher } from "./core/event.js";
import type { Identity } from "./core/identity.js";
import type { Ending, EndOrder } from "./core/lease.js";
import type { CloudName } from "./core/profile.js";
import type { Observe } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import { outcomeOf, type SweptLease } from "./core/sweep-report.js";
import { isUnfinished } from "./core/unfinished.js";
import { acquireIdentity, explainSources, type IdentityRequest } from "./identity/index.js";
import {
  type ClaimedLease,
  claimLease,
  type LeaseEntry,
  ordersOf,
  removePrivateDir,
  removeReceiptPlace,
  removeTornWrites,
} from "./lease/index.js";
import { endStrays } from "./run/index.js";

/** Who finishes somebody else's lease, and as whom. */
export interface Finisher {
  readonly by: LeaseFinisher;
  /** In the place of the source that the lease was given to. */
  readonly identitySource?: string;
  /** Also when its agentctl is alive, or cannot be told to be dead. */
  readonly force?: boolean;
  readonly unwatched: AbortSignal;
  readonly signal: AbortSignal;
}

/**
 * Ends a lease that its own agentctl did not: what is left of its command, its grants, its files; on record, and out of
 * the ledger unless something could not be taken back. Never throws for the lease's sake: the report says.
 */
export async function finishLease(
  id: string,
  finisher: Finisher,
  observe: Observe,
  runtime: Runtime,
): Promise<SweptLease> {
  const claim = await claimLease(id, runtime, { force: finisher.force === true });
  if (claim.is === "unreadable") return { id, outcome: "unreadable", endings: [], problem: claim.problem };
  if (claim.is !== "claimed") {
    return { id, ...("entry" in claim && { profile: claim.entry.profile }), outcome: claim.is, endings: [] };
  }
  try {
    return await finishClaimed(claim.lease, finisher, observe, runtime);
  } finally {
    await claim.lease.release();
  }
}

/** One that cannot be claimed, such as on a full disk, keeps nobody from ending the others. */
export async function tryToFinish(
  id: string,
  finisher: Finisher,
  observe: Observe,
  runtime: Runtime,
): Promise<SweptLease> {
  try {
    return await finishLease(id, finisher, observe, runtime);
  } catch (thrown) {
    return { id, outcome: "unfinished", endings: [], problem: toAgentctlError(thrown).message };
  }
}

async function finishClaimed(
  lease: ClaimedLease,
  finisher: Finisher,
  observe: Observe,
  runtime: Runtime,
): Promise<SweptLease> {
  const { entry } = lease;
  if (lease.previousOwnerWas === "alive") return endForLiving(lease, finisher, observe, runtime);
  const recorded = await findRecordedEnd(entry.id, runtime);
  // Whoever put its end on record had seen to its command.
  const strays = recorded === undefined ? await endWhatRuns(lease, runtime) : undefined;
  const isOnRecord = recorded !== undefined && !recorded.endings.some(isUnfinished);
  const endings = isOnRecord ? recorded.endings : await endWhatIsOpen(entry, finisher, observe, runtime);
  removeTornWrites(entry, runtime);
  const isCleared = removePrivateDir(entry, runtime);
  const isOpen = endings.some(isUnfinished);
  const endedBy = { by: finisher.by, pid: runtime.pid, ...(strays && { strays }) };
  const finished: FinishedLease = { ...entry, endings, endedBy };
  // A try that changes nothing is no second end.
  const head = isOnRecord || isOpen ? recorded?.head : undefined;
  const problems = await recordFinish(finished, head, entry, runtime);
  if (!isCleared) problems.push(`${entry.privateDir} could not be removed`);
  if (strays !== undefined && strays.left > 0) problems.push(`${strays.left} of its processes could not be ended`);
  try {
    if (isOpen) lease.update({ endings });
    else await lease.close();
  } catch (thrown) {
    problems.push(toAgentctlError(thrown).message);
  }
  return {
    id: entry.id,
    profile: entry.profile,
    outcome: outcomeOf(endings),
    endings,
    ...(strays && { strays }),
    ...(problems.length > 0 && { problem: problems.join("; ") }),
  };
}

/**
 * An agentctl that is stopped, or too busy to answer, may go on any time: the grants are ended for it, and its command,
 * its files and its place in the ledger stay its own. The mark stays too, by which it learns of that.
 */
async function endForLiving(
  lease: ClaimedLease,
  finisher: Finisher,
  observe: Observe,
  runtime: Runtime,
): Promise<SweptLease> {
  const { id, profile } = lease.entry;
  const endings = await endWhatIsOpen(lease.entry, finisher, observe, runtime);
  const finished = { ...lease.entry, endings, endedBy: { by: finisher.by, pid: runtime.pid } };
  const problems = lease.entry.child === undefined ? [] : ["its agentctl does not answer, and its command goes on"];
  try {
    await appendFinishedLease(finished, readAuditSinks(runtime), runtime, "lease.revoked");
  } catch (thrown) {
    problems.push(`not on record: ${toAgentctlError(thrown).message}`);
  }
  try {
    await lease.handBack({ state: "ended", endings });
  } catch (thrown) {
    problems.push(toAgentctlError(thrown).message);
  }
  return {
    id,
    profile,
    outcome: outcomeOf(endings),
    endings,
    ...(problems.length > 0 && { problem: problems.join("; ") }),
  };
}

/** A process id means something only where it was given: in the same boot, and the same container. */
async function endWhatRuns(
  { entry, isFromHere, previousOwnerWas }: ClaimedLease,
  runtime: Runtime,
): Promise<SweptLease["strays"]> {
  if (!isFromHere || previousOwnerWas !== "dead") return undefined;
  const { id, graceSeconds, child } = entry;
  const strays = await endStrays({ leaseId: id, graceSeconds, ...(child && { child }) }, runtime);
  return strays.found === 0 ? undefined : strays;
}

/** What an earlier try has ended stays as it told. */
async function endWhatIsOpen(
  entry: LeaseEntry,
  { identitySource, unwatched, signal }: Finisher,
  observe: Observe,
  runtime: Runtime,
): Promise<readonly Ending[]> {
  const orders = ordersOf(entry, runtime.now());
  let identity: Promise<Identity> | undefined;
  const acquire = (): Promise<Identity> => {
    const asked = { audiences: orders.flatMap(audiencesOf), signal };
    identity ??=
      identitySource === undefined
        ? acquireAsLeaseOrAny(entry.identity.source, asked, runtime)
        : acquireIdentity({ ...asked, source: identitySource }, runtime);
    return identity;
  };
  const endings = await endGrants(
    orders,
    {
      mintToken: async (audiences) => (await acquire()).mintToken(audiences),
      unwatched,
      signal,
      onProgress: (text, wait) => observe({ kind: "progress", text, wait }),
    },
    runtime,
  );
  observe({ kind: "progress" });
  return entry.grants.flatMap((grant) => {
    const index = orders.findIndex(({ cloud }) => cloud === grant.cloud);
    return endings[index] ?? grant.ending ?? [];
  });
}

/**
 * The lease's own source may be a CI job's, which a timer is not in: then whatever there is, since the cloud decides who
 * may take it back.
 * @throws {AgentctlError} as `acquireIdentity` does; what is wrong with the lease's own source where there is no other
 */
async function acquireAsLeaseOrAny(
  source: string,
  asked: Omit<IdentityRequest, "source">,
  runtime: Runtime,
): Promise<Identity> {
  try {
    return await acquireIdentity({ ...asked, source }, runtime);
  } catch (thrown) {
    if (toAgentctlError(thrown).code !== "NO_IDENTITY") throw thrown;
    if (!explainSources(runtime).some(({ found }) => found)) throw thrown;
    return acquireIdentity({ ...asked, source: "auto" }, runtime);
  }
}

function audiencesOf({
  cloud,
  undo,
}: EndOrder): { readonly cloud: CloudName; readonly audiences: readonly string[] }[] {
  const audiences = undo["audiences"];
  return Array.isArray(audiences) ? [{ cloud, audiences }] : [];
}

/**
 * Puts the end on record, unless the dead agentctl has done that itself and died on its way out of the ledger. Answers
 * what could not be written down: the ending itself is worth more.
 */
async function recordFinish(
  finished: FinishedLease,
  recordedHead: ChainHead | undefined,
  entry: LeaseEntry,
  runtime: Runtime,
): Promise<string[]> {
  try {
    const head = recordedHead ?? (await appendFinishedLease(finished, readAuditSinks(runtime), runtime));
    if (entry.receipt === undefined) return [];
    removeReceiptPlace(entry, runtime);
    writeFinishedReceipt(entry.receipt, finished, head, runtime);
    return [];
  } catch (thrown) {
    return [`not on record: ${toAgentctlError(thrown).message}`];
  }
}
