import { formatDuration, formatInstant } from "../../../core/durations.js";
import { AgentctlError } from "../../../core/errors.js";
import type { EntitlementGrant } from "./entitlement-grant.js";

/** Who has the entitlement, and until when. */
export function describeBusy(entitlement: string, { leaseId, requester, endsAt }: EntitlementGrant): string {
  const whose = leaseId === undefined ? `a grant of ${requester}, not of agentctl,` : `lease ${leaseId}`;
  const end = endsAt === undefined ? "" : `, until ${formatInstant(endsAt)} at the latest`;
  return `${whose} has ${entitlement}${end}`;
}

export function busyError(entitlement: string, grant: EntitlementGrant, waitedMs: number): AgentctlError {
  const { name, state, leaseId } = grant;
  const message = `${describeBusy(entitlement, grant)}, and Google gives it to one at a time; waited ${inWords(waitedMs)}`;
  return new AgentctlError("ASSIGNMENT_BUSY", message, {
    hint: "try again when that has ended, give the profile a service account of its own, or wait longer with gcp.ready.timeout",
    facts: { grant: name, state, ...(leaseId !== undefined && { lease: leaseId }) },
  });
}

export function neverActive(entitlement: string, { name, state }: EntitlementGrant): AgentctlError {
  const why = state === "DENIED" ? "its approver said no" : `it is ${state}`;
  return new AgentctlError("CLOUD_DENIED", `Google did not give ${entitlement}: ${why}`, {
    hint: `look at ${name} in Privileged Access Manager`,
    facts: { grant: name, state },
  });
}

export function notActive(entitlement: string, { name, state }: EntitlementGrant, waitedMs: number): AgentctlError {
  const isAwaited = state === "APPROVAL_AWAITED";
  const message = isAwaited
    ? `nobody approved a grant of ${entitlement} within ${inWords(waitedMs)}`
    : `a grant of ${entitlement} was not active after ${inWords(waitedMs)}: it is ${state}`;
  const hint = isAwaited
    ? "have it approved in time, or raise gcp.ready.timeout"
    : "raise gcp.ready.timeout, or try again in a while";
  return new AgentctlError("NOT_READY", message, { hint, facts: { grant: name, state } });
}

function inWords(ms: number): string {
  return formatDuration(Math.max(1, Math.round(ms / 1000)));
}
