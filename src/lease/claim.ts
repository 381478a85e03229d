import { currentOwner, isOwnerAlive, type Liveness, type ProcessOwner } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import type { LeaseEntry } from "./entry.js";
import { readEntryFile, removeEntryFile, writeEntryFile } from "./entry-file.js";
import { type LeaseLock, lockLease } from "./lease-lock.js";
import { applyChange, type LeaseChange } from "./ledger.js";

/** A lease of another process, which is this one's to end; nobody else can claim it until it is let go of. */
export interface ClaimedLease {
  /** As it stands in the ledger, with this process as its owner. */
  readonly entry: LeaseEntry;
  /** Who had to end it before. */
  readonly previousOwner: ProcessOwner;
  /** What that was when the lease was claimed; other than dead only by force. */
  readonly previousOwnerWas: Liveness;
  /** Whether that was in this boot and pid namespace, so that the pids of its command mean something here. */
  readonly isFromHere: boolean;
  /** Puts what changed on the disk before it returns. @throws {AgentctlError} STATE_UNWRITABLE */
  update(change: Pick<LeaseChange, "state" | "endings">): void;
  /** Takes the lease out of the ledger. It is let go of in any case. @throws {AgentctlError} STATE_UNWRITABLE */
  close(): Promise<void>;
  /**
   * Puts what changed on the disk, and the lease back into the hands of its previous owner, who lives on; it is let go
   * of in any case. @throws {AgentctlError} STATE_UNWRITABLE
   */
  handBack(change: Pick<LeaseChange, "state" | "endings">): Promise<void>;
  /**
   * Lets go of a lease that stays in the ledger as its previous owner's, for the next who claims it; one that was closed or
   * handed back is let alone. Never rejects.
   */
  release(): Promise<void>;
}

/**
 * `running`: its own agentctl is alive; `unknown`: that cannot be told from here; `busy`: another process is ending it;
 * `gone`: it was closed.
 */
export type Claim =
  | { readonly is: "claimed"; readonly lease: ClaimedLease }
  | { readonly is: "running" | "unknown"; readonly entry: LeaseEntry }
  | { readonly is: "unreadable"; readonly problem: string }
  | { readonly is: "busy" | "gone" };

export interface ClaimRules {
  /** Takes it also from an owner that is alive, or of which that is not known. */
  readonly force?: boolean;
}

const POLL_MS = 20;

/**
 * Makes this process the owner of a lease whose own is dead, so that of many who try, one ends it; a claimant that is
 * killed leaves an orphan again.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export async function claimLease(id: string, runtime: Runtime, rules: ClaimRules = {}): Promise<Claim> {
  const first = judge(id, rules, runtime);
  if (first.is !== "claimable") return first;
  const lock = await lockLease(id, runtime);
  if (lock === undefined) return { is: "busy" };
  try {
    // It may have been claimed and closed since.
    const judged = judge(id, rules, runtime);
    if (judged.is === "claimable") return { is: "claimed", lease: takeOver(judged, lock, runtime) };
    await lock.release();
    return judged;
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

interface Claimable {
  readonly is: "claimable";
  readonly entry: LeaseEntry;
  readonly liveness: Liveness;
}
type Judgement = Exclude<Claim, { is: "claimed" }> | Claimable;

function judge(id: string, { force = false }: ClaimRules, runtime: Runtime): Judgement {
  const found = readEntryFile(id, runtime);
  if (found.is !== "entry") return found;
  const { entry } = found;
  const liveness = isOwnerAlive(entry.owner, runtime);
  if (force || liveness === "dead") return { is: "claimable", entry, liveness };
  return { is: liveness === "alive" ? "running" : "unknown", entry };
}

function takeOver({ entry: found, liveness }: Claimable, lock: LeaseLock, runtime: Runtime): ClaimedLease {
  const owner = currentOwner(runtime);
  const isFromHere = isSameSystem(found.owner, owner);
  const { child, ...rest } = found;
  // A pid of another boot or namespace would be taken for one of this process's own by the next who claims the lease.
  let entry: LeaseEntry = { ...rest, ...(child && isFromHere && { child }), owner, state: "ending" };
  writeEntryFile(entry, runtime);
  let isHeld = true;
  const giveBack = (given: LeaseEntry): void => {
    isHeld = false;
    writeEntryFile({ ...given, owner: found.owner, ...(child && { child }) }, runtime);
  };
  return {
    get entry() {
      return entry;
    },
    previousOwner: found.owner,
    previousOwnerWas: liveness,
    isFromHere,
    update: (change) => {
      const next = applyChange(entry, change);
      writeEntryFile(next, runtime);
      entry = next;
    },
    close: async () => {
      isHeld = false;
      try {
        removeEntryFile(entry.id, runtime);
      } finally {
        await lock.release();
      }
    },
    handBack: async (change) => {
      try {
        giveBack(applyChange(entry, change));
      } finally {
        await lock.release();
      }
    },
    release: async () => {
      try {
        if (isHeld) giveBack(entry);
      } catch {
        // It is this process's then until this process ends, and an orphan after that.
      } finally {
        await lock.release();
      }
    },
  };
}

function isSameSystem(one: ProcessOwner, other: ProcessOwner): boolean {
  return one.bootId !== "" && one.bootId === other.bootId && one.pidNamespace === other.pidNamespace;
}

/**
 * Waits until the process that has to end the lease is dead, or has closed it: a watchdog is called while its agentctl is
 * still being torn down. Answers false when neither came about in time.
 */
export async function waitUntilOwnerDead(id: string, runtime: Runtime, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const { is } = judge(id, {}, runtime);
    if (is === "claimable" || is === "gone") return true;
    if (waitedMs >= timeoutMs) return false;
    await runtime.sleep(POLL_MS);
  }
}
