import { formatDuration, formatInstant } from "../../../core/durations.js";
import { AgentctlError } from "../../../core/errors.js";
import type { Holder } from "./give.js";
import { nameTarget } from "./names.js";

/** One role on one scope that an application of the pool cannot be given, for somebody has it. */
export interface Busy {
  readonly clientId: string;
  readonly role: string;
  readonly scope: string;
  readonly holder: Holder;
}

/** Of those that may be waited for, the one that ends first; undefined where none will. */
export function soonestOf(all: readonly Busy[]): Busy | undefined {
  const endOf = ({ holder }: Busy) => holder.freedAt ?? holder.endsAt ?? Number.MAX_SAFE_INTEGER;
  return all.filter(({ holder }) => !holder.isLasting).sort((one, other) => endOf(one) - endOf(other))[0];
}

/** The one line that is shown while it is waited for. */
export function waitingLine({ clientId, role, scope, holder }: Busy): string {
  const what = nameTarget({ role, scope });
  const until = describeEnd(holder, " at the latest");
  const { leaseId } = holder;
  if (leaseId === undefined) return `azure: waiting for application ${clientId} to be free of its ${what}${until}`;
  return `azure: waiting for lease ${leaseId} (application ${clientId}) to give ${what} back${until}`;
}

/** Everybody who could be given it has it, still. */
export function busyError(
  busy: Busy,
  pool: { readonly all: number; readonly usable: number },
  waitedSeconds: number,
): AgentctlError {
  const { clientId, role, scope, holder } = busy;
  const { leaseId, endsAt, freedAt } = holder;
  const until = describeEnd(holder, "");
  const whose = leaseId === undefined ? "and not by a lease" : `for lease ${leaseId}`;
  const which = pool.usable < pool.all ? "that can be used has" : "has";
  const others = pool.usable > 1 ? `, as each of the ${pool.usable} in azure.client_ids ${which}` : "";
  const waited = holder.isLasting ? "" : `; waited ${formatDuration(waitedSeconds)}`;
  const message = `application ${clientId} has ${nameTarget({ role, scope })} already, ${whose}${until}${others}${waited}`;
  return new AgentctlError("ASSIGNMENT_BUSY", message, {
    hint: hintOf(holder),
    facts: {
      client: clientId,
      role,
      scope,
      ...(leaseId !== undefined && { lease: leaseId }),
      ...(endsAt !== undefined && { until: formatInstant(endsAt) }),
      ...(freedAt !== undefined && { freed: formatInstant(freedAt) }),
      waitedSeconds,
    },
  });
}

/** When it is taken back, where this machine knows, which is before it ends by itself. */
function describeEnd({ endsAt, freedAt }: Holder, latest: string): string {
  if (freedAt !== undefined) return `; it is over, and taken back at ${formatInstant(freedAt)}`;
  return endsAt === undefined ? "" : `, until ${formatInstant(endsAt)}${latest}`;
}

function hintOf({ isLasting, leaseId }: Holder): string {
  if (isLasting) return "remove that assignment, or leave it out of azure.assignments: it is there without a lease";
  const show = leaseId === undefined ? "" : `; agentctl lease show ${leaseId} on its machine tells of it`;
  return `give the profile more applications in azure.client_ids, or wait longer with azure.ready's timeout, by up to twice of which a role outlives an agentctl that was killed${show}; Azure takes nothing back in the first 5 minutes`;
}
