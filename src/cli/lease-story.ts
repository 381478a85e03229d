import type { AuditRecord } from "../audit/index.js";
import { formatDuration, formatInstant } from "../core/durations.js";
import type { LeaseEntry, LedgerGrant, ListedLease } from "../lease/index.js";
import { type Fact, putInOrder, tellEnding, toFact } from "./lease-fact.js";
import { leavesToOthers, tellRecord } from "./record-story.js";

/** What the ledger and the audit log know of a lease, oldest first. `now` in epoch ms. */
export function tellLease(
  open: ListedLease | undefined,
  records: readonly AuditRecord[],
  now: number,
): readonly Pick<Fact, "at" | "text">[] {
  const entry = open === undefined || open.state === "unreadable" ? undefined : open.entry;
  const facts = entry === undefined ? [] : tellEntry(entry, now);
  // A lease that is revoked has its endings put on record then, and once more when its command has ended.
  const known = { isInLedger: entry !== undefined, isLeftByDesign: records.some(leavesToOthers) };
  return putInOrder([...facts, ...records.flatMap((record) => tellRecord(record, known, now))]);
}

function tellEntry(entry: LeaseEntry, now: number): Fact[] {
  const { identity, actor, command, openedAt, deadlineAt, waitsFor } = entry;
  const whose = `for ${identity.subject} (${identity.source}, ${actor})`;
  const unbegun = `for ${formatDuration((deadlineAt - openedAt) / 1000)}, counted from when it has its roles`;
  const time = waitsFor === undefined ? `until ${formatInstant(deadlineAt)}` : unbegun;
  const opened = `opened ${whose} ${time}, to run ${command}`;
  return [toFact(openedAt, opened), ...entry.grants.flatMap((grant) => tellGrant(grant, openedAt, now))];
}

function tellGrant(grant: LedgerGrant, openedAt: number, now: number): readonly Fact[] {
  const { cloud, channel, principal, rights, issuedAt, ending } = grant;
  const first = rights === undefined ? "" : `to have ${rights.join(", ")} given to ${principal} for this lease, and `;
  const facts = [
    toFact(
      openedAt,
      `${cloud}: asked ${first}for credentials of ${principal}${channel === "endpoint" ? ", by the endpoint" : ""}`,
    ),
  ];
  if (issuedAt !== undefined) facts.push(toFact(issuedAt, `${cloud}: ${describeIssued(grant)}`));
  return ending === undefined ? facts : [...facts, ...tellEnding(ending, undefined, now)];
}

/** The ledger keeps the newest only; of each one before the audit log tells. */
function describeIssued({ renewed = 0, usableUntil, expiresAt }: LedgerGrant): string {
  const what = renewed === 0 ? "issued" : `renewed, ${renewed === 1 ? "once" : `${renewed} times`} so far`;
  return `${what}${describeTime("usable until", usableUntil)}${describeTime("expires", expiresAt)}`;
}

function describeTime(what: string, time: number | undefined): string {
  return time === undefined ? "" : `, ${what} ${formatInstant(time)}`;
}
