import { formatDuration, formatInstant } from "../../../core/durations.js";
import { AgentctlError } from "../../../core/errors.js";
import type { EntitlementGrant } from "./entitlement-grant.js";

/** What is shown while whoever has the entitlement is waited for. */
export function waitingText(entitlement: string, grant: EntitlementGrant): string {
  return `waiting for ${holderOf(grant)} to give ${entitlement} back${endOf(grant)}`;
}

function holderOf({ leaseId, requester }: EntitlementGrant): string {
  return leaseId === undefined ? `a grant of ${requester}, not of agentctl,` : `lease ${leaseId}`;
}

function endOf({ endsAt }: EntitlementGrant): string {
  return endsAt === undefined ? "" : `, until ${formatInstant(endsAt)} at the latest`;
}

export function busyError(entitlement: string, grant: EntitlementGrant, waitedMs: number): AgentctlError {
  const { name, state, leaseId } = grant;
  const message = `${holderOf(grant)} has ${entitlement}${endOf(grant)}, and Google gives it to one at a time; waited ${inWords(waitedMs)}`;
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
