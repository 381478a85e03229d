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
 * The open lease that is meant by an id, or by the beginning of one, in capitals or not.
 * @throws {AgentctlError} USAGE when there is none, or more than one; STATE_UNWRITABLE
 */
export function findLease(typed: string, runtime: Runtime): ListedLease {
  const leases = listLeases(runtime);
  const ids = leases.map(({ id }) => id);
  const id = chooseLeaseId(typed, ids, "open lease");
  return leases[ids.indexOf(id)] as ListedLease;
}

/**
 * Of `ids` the one that is typed, or that begins like that as no other one does.
 * @throws {AgentctlError} USAGE when there is none, or more than one
 */
export function chooseLeaseId(typed: string, ids: readonly string[], what: "lease" | "open lease"): string {
  const wanted = typed.toUpperCase();
  const fitting = ids.filter((id) => typed !== "" && id.toUpperCase().startsWith(wanted));
  const [found] = fitting.length > 1 ? fitting.filter((id) => id.toUpperCase() === wanted) : fitting;
  if (found !== undefined) return found;
  if (fitting.length > 1) throw ambiguous(typed, fitting, what);
  throw new AgentctlError("USAGE", `no ${what} has the id ${JSON.stringify(typed)}`, {
    hint: "agentctl lease list shows the open leases, and agentctl audit log those that have ended",
  });
}

function ambiguous(typed: string, ids: readonly string[], what: string): AgentctlError {
  const more = ids.length > MOST_CANDIDATES ? `, and ${ids.length - MOST_CANDIDATES} more` : "";
  return new AgentctlError("USAGE", `${ids.length} ${what}s begin with ${JSON.stringify(typed)}`, {
    hint: `it may be ${ids.slice(0, MOST_CANDIDATES).join(", ")}${more}`,
    facts: { candidates: ids },
  });
}
