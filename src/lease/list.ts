import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import { isOwnerAlive } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { type LeaseEntry, type LeaseState, type LedgerGrant, leasesDir } from "./entry.js";
import { readEntryFile } from "./entry-file.js";
import { entryQueuedUntil } from "./orders.js";
import { findWaiter } from "./wait-in-queue.js";

/** A lease in the ledger, and how things stand with the process that has to end it. */
export type ListedLease =
  | {
      readonly id: string;
      /**
       * `orphaned`: that process is dead; `queued`: it is, and what is left its cloud takes back only later, which the
       * watchdog waits for; `unknown`: it can't be told from here, such as from another container.
       */
      readonly state: LeaseState | "orphaned" | "queued" | "unknown";
      readonly entry: LeaseEntry;
      /** Until when the last of its grants may be used, in milliseconds since the epoch. */
      readonly usableUntil: number;
      /** Of one that is queued, the pid of the process that waits for its cloud's time; absent where none does. */
      readonly waiter?: number;
    }
  | { readonly id: string; readonly state: "unreadable"; readonly problem: string };

const SUFFIX = ".json";
/** Who waits for it would have taken it back by then. */
const QUEUE_MARGIN_MS = 60_000;

/**
 * The open leases, oldest first; what can't be read is listed as such, last.
 * @throws {AgentctlError} STATE_UNWRITABLE when the ledger's directory can't be read
 */
export function listLeases(runtime: Runtime): readonly ListedLease[] {
  return readLeaseNames(runtime)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => readLease(name.slice(0, -SUFFIX.length), runtime))
    .filter((lease) => lease !== undefined)
    .sort((one, other) => openedAt(one) - openedAt(other) || (one.id < other.id ? -1 : 1));
}

function openedAt(lease: ListedLease): number {
  return lease.state === "unreadable" ? Number.MAX_SAFE_INTEGER : lease.entry.openedAt;
}

/** What stands in the ledger's directory. @throws {AgentctlError} STATE_UNWRITABLE */
export function readLeaseNames(runtime: Pick<Runtime, "fs" | "env" | "cwd">): readonly string[] {
  const dir = leasesDir(runtime);
  try {
    return runtime.fs.readdirSync(dir);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw new AgentctlError("STATE_UNWRITABLE", `cannot read ${dir}: ${explainSystemError(error)}`, {
      hint: "the ledger belongs to the user who runs agentctl",
      cause: error,
    });
  }
}

/** Undefined when the lease was closed between the listing and the look. */
function readLease(id: string, runtime: Runtime): ListedLease | undefined {
  const found = readEntryFile(id, runtime);
  if (found.is === "gone") return undefined;
  if (found.is === "unreadable") return { id, state: "unreadable", problem: found.problem };
  const { entry } = found;
  const state = deriveState(entry, runtime);
  const waiter = state === "queued" ? findWaiter(id, runtime) : undefined;
  return { id, state, entry, usableUntil: lastUse(entry), ...(waiter !== undefined && { waiter }) };
}

function deriveState(entry: LeaseEntry, runtime: Runtime): LeaseState | "orphaned" | "queued" | "unknown" {
  const liveness = isOwnerAlive(entry.owner, runtime);
  if (liveness === "alive") return entry.state;
  if (liveness !== "dead") return "unknown";
  const until = entryQueuedUntil(entry);
  return until !== undefined && runtime.now() < until + QUEUE_MARGIN_MS ? "queued" : "orphaned";
}

function lastUse(entry: LeaseEntry): number {
  const times = entry.grants.map((grant) => usableUntil(grant, entry));
  return times.length === 0 ? entry.deadlineAt : Math.max(...times);
}

/** A grant that was asked for, and of which nothing more is known, may have been issued up to the deadline. */
function usableUntil({ ending, usableUntil }: LedgerGrant, { deadlineAt }: LeaseEntry): number {
  return ending === undefined || ending.word === "failed" ? (usableUntil ?? deadlineAt) : Date.parse(ending.at);
}
