import path from "node:path";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError, readPrivateFile } from "../core/private-files.js";
import { isOwnerAlive } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { type LeaseEntry, type LeaseState, leasesDir, parseEntry } from "./entry.js";

/** A lease in the ledger, and how things stand with the process that has to end it. */
export type ListedLease =
  | {
      readonly id: string;
      /** `orphaned`: that process is dead; `unknown`: it can't be told from here, such as from another container. */
      readonly state: LeaseState | "orphaned" | "unknown";
      readonly entry: LeaseEntry;
      /** Until when the last of its grants may be used, in milliseconds since the epoch. */
      readonly usableUntil: number;
    }
  | { readonly id: string; readonly state: "unreadable"; readonly problem: string };

const SUFFIX = ".json";

/**
 * The open leases, oldest first; what can't be read is listed as such, last.
 * @throws {AgentctlError} STATE_UNWRITABLE when the ledger's directory can't be read
 */
export function listLeases(runtime: Runtime): readonly ListedLease[] {
  return readNames(runtime)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => readLease(name, runtime))
    .filter((lease) => lease !== undefined)
    .sort((one, other) => openedAt(one) - openedAt(other) || (one.id < other.id ? -1 : 1));
}

function openedAt(lease: ListedLease): number {
  return lease.state === "unreadable" ? Number.MAX_SAFE_INTEGER : lease.entry.openedAt;
}

function readNames(runtime: Runtime): readonly string[] {
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
function readLease(name: string, runtime: Runtime): ListedLease | undefined {
  const id = name.slice(0, -SUFFIX.length);
  let text: string | undefined;
  try {
    text = readPrivateFile(path.join(leasesDir(runtime), name), runtime.fs);
  } catch (error) {
    return { id, state: "unreadable", problem: explainSystemError(error) };
  }
  if (text === undefined) return undefined;
  const entry = parseEntry(text);
  if (entry === undefined || entry.id !== id) return { id, state: "unreadable", problem: "it is not a ledger entry" };
  return { id, state: deriveState(entry, runtime), entry, usableUntil: lastUse(entry) };
}

function deriveState(entry: LeaseEntry, runtime: Runtime): LeaseState | "orphaned" | "unknown" {
  const liveness = isOwnerAlive(entry.owner, runtime);
  if (liveness === "alive") return entry.state;
  return liveness === "dead" ? "orphaned" : "unknown";
}

/** A grant that was asked for, and of which nothing more is known, may have been issued up to the deadline. */
function lastUse(entry: LeaseEntry): number {
  const times = entry.grants.map((grant) => grant.usableUntil ?? entry.deadlineAt);
  return times.length === 0 ? entry.deadlineAt : Math.max(...times);
}
