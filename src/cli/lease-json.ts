import { formatInstant } from "../core/durations.js";
import type { LedgerGrant, ListedLease } from "../lease/index.js";

/** An open lease as `--json` prints it: times in RFC 3339, and what is not known is left out. */
export function describeLease(lease: ListedLease): object {
  if (lease.state === "unreadable") return lease;
  const { id, state, entry } = lease;
  return {
    id,
    state,
    profile: entry.profile,
    openedAt: formatInstant(entry.openedAt),
    deadlineAt: formatInstant(entry.deadlineAt),
    waitsFor: entry.waitsFor,
    usableUntil: formatInstant(lease.usableUntil),
    actor: entry.actor,
    identity: entry.identity,
    command: entry.command,
    pid: entry.owner.pid,
    childPid: entry.child?.pid,
    waiterPid: lease.waiter,
    grants: entry.grants.map(describeGrant),
  };
}

function describeGrant({ cloud, channel, principal, rights, renewed, ending, ...times }: LedgerGrant): object {
  return {
    cloud,
    channel,
    principal,
    rights,
    issuedAt: instant(times.issuedAt),
    usableUntil: instant(times.usableUntil),
    expiresAt: instant(times.expiresAt),
    renewed,
    ending,
  };
}

function instant(time: number | undefined): string | undefined {
  return time === undefined ? undefined : formatInstant(time);
}
