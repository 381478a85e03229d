import { AgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import { type ListedLease, listLeases } from "./list.js";

/** Which leases are meant: those that every given part fits. */
export interface LeaseSelection {
  readonly profile?: string;
  readonly states?: readonly ListedLease["state"][];
  /** Opened at least so long ago. */
  readonly olderThanSeconds?: number;
  /** Whole ids. */
  readonly ids?: readonly string[];
}

const MOST_CANDIDATES = 5;

/** In their order. Of a lease that can't be read neither profile nor age is known, so it fits neither. `now` in epoch ms. */
export function selectLeases(
  leases: readonly ListedLease[],
  { profile, states, olderThanSeconds, ids }: LeaseSelection,
  now: number,
): readonly ListedLease[] {
  return leases.filter((lease) => {
    const entry = lease.state === "unreadable" ? undefined : lease.entry;
    if (profile !== undefined && entry?.profile !== profile) return false;
    if (states !== undefined && !states.includes(lease.state)) return false;
    if (ids !== undefined && !ids.includes(lease.id)) return false;
    return olderThanSeconds === undefined || (entry !== undefined && now - entry.openedAt >= olderThanSeconds * 1000);
  });
}

/**
 * The open lease whose id is the given one, or begins with it as no other one does, in capitals or not.
 * @throws {AgentctlError} USAGE when there is none, or more than one; STATE_UNWRITABLE
 */
export function findLease(id: string, runtime: Runtime): ListedLease {
  const leases = listLeases(runtime);
  const wanted = id.toUpperCase();
  const fitting = leases.filter((lease) => id !== "" && lease.id.toUpperCase().startsWith(wanted));
  const [found] = fitting.length > 1 ? fitting.filter((lease) => lease.id.toUpperCase() === wanted) : fitting;
  if (found !== undefined) return found;
  if (fitting.length > 1) throw ambiguous(id, fitting);
  throw new AgentctlError("USAGE", `no open lease has the id ${JSON.stringify(id)}`, {
    hint: "agentctl lease list shows the open leases, and agentctl audit log those that have ended",
  });
}

function ambiguous(id: string, fitting: readonly ListedLease[]): AgentctlError {
  const ids = fitting.map((lease) => lease.id);
  const more = ids.length > MOST_CANDIDATES ? `, and ${ids.length - MOST_CANDIDATES} more` : "";
  return new AgentctlError("USAGE", `${ids.length} open leases begin with ${JSON.stringify(id)}`, {
    hint: `it may be ${ids.slice(0, MOST_CANDIDATES).join(", ")}${more}`,
    facts: { candidates: ids },
  });
}
