import type { AuditRecord } from "../audit/index.js";
import type { LeaseFinisher } from "../core/event.js";
import type { SweptLease } from "../core/sweep-report.js";
import { isUnfinished } from "../core/unfinished.js";
import { type Fact, tellEnding, toFact } from "./lease-fact.js";

/** What else is known of the lease of a record. */
interface KnownBeside {
  readonly isInLedger: boolean;
  /** Whether its own agentctl came to its end, and left the rest to others, since its cloud takes that back only later. */
  readonly isLeftByDesign: boolean;
}

/**
 * What one record of the audit log tells of its lease; of a lease that is in the ledger, what that does not tell. `now` in
 * epoch ms. A log may have been edited, so nothing of a record is sure to have its shape.
 */
export function tellRecord(
  record: AuditRecord,
  { isInLedger, isLeftByDesign }: KnownBeside,
  now: number,
): readonly Fact[] {
  try {
    const facts = tell(record, isInLedger);
    const endings = (record.endings ?? []).flatMap((ending) => tellEnding(ending, record.time, now));
    return [...facts, ...endings, ...tellEnd(record, isLeftByDesign)];
  } catch {
    return [toFact(record.time, `record ${record.seq} of the audit log makes no sense: agentctl audit verify`)];
  }
}

function tell(record: AuditRecord, isInLedger: boolean): readonly Fact[] {
  const { kind, time, command, error, request } = record;
  switch (kind) {
    case "lease.start":
      return [
        ...tellRights(record),
        toFact(time, `started ${command?.argv0}${describeCaller(record)}`),
        ...tellGrants(record, isInLedger),
      ];
    case "lease.failed":
    case "lease.refused":
      return [...tellRights(record), toFact(time, `${kind.slice("lease.".length)}: ${error?.code}: ${error?.message}`)];
    case "grant.renewed":
      return (record.grants ?? []).map((grant) => toFact(time, `${grant.cloud}: renewed, ${describeLife(grant)}`));
    case "grant.renewal_failed":
      return (record.grants ?? []).map((grant) =>
        toFact(time, `${grant.cloud}: not renewed: ${error?.code}: ${error?.message}; ${describeLife(grant)}`),
      );
    case "endpoint.refused":
    case "endpoint.unverified": {
      const what = kind === "endpoint.refused" ? "refused a request" : "answered a request of nobody knows whom";
      return [toFact(time, `the endpoint ${what}: ${request?.message}`)];
    }
    case "lease.revoked":
      return tellRevoker(record);
    default:
      return [];
  }
}

/** Told once, though a lease that did not get to its end has them in both of its records. */
function tellRights({ rights = [] }: AuditRecord): readonly Fact[] {
  return rights.flatMap(({ cloud, steps }) =>
    steps.map(({ at, text }) => toFact(at, `${cloud}: ${text}`, `right of ${cloud} at ${at}: ${text}`)),
  );
}

function describeCaller({ identity, actor }: AuditRecord): string {
  return identity === undefined ? "" : ` for ${identity.subject} (${identity.source}, ${actor?.kind})`;
}

function tellGrants({ time, grants = [] }: AuditRecord, isInLedger: boolean): readonly Fact[] {
  if (isInLedger) return [];
  return grants.map((grant) => toFact(time, `${grant.cloud}: issued as ${grant.principal}, ${describeLife(grant)}`));
}

function describeLife({ usableUntil, expiresAt }: NonNullable<AuditRecord["grants"]>[number]): string {
  return `usable until ${usableUntil}, expires ${expiresAt}`;
}

/** Told when it was asked for, since that comes before what was done about it. */
function tellRevoker({ revokedBy, time }: AuditRecord): readonly Fact[] {
  const who = revokedBy?.user === undefined ? "" : `${revokedBy.user}, `;
  const text = `its end was asked for by ${who}process ${revokedBy?.pid}`;
  return [toFact(revokedBy?.at ?? time, text, `revocation by ${revokedBy?.pid}`)];
}

/** Whether it is its own agentctl's, which left what its cloud takes back only later to its watchdog. */
export function leavesToOthers({ kind, endedBy, endings }: AuditRecord): boolean {
  const isLast = ["lease.end", "lease.failed", "lease.refused"].includes(kind) && endedBy === undefined;
  return (
    isLast &&
    Array.isArray(endings) &&
    endings.some((ending) => ending?.isUnfinished === true && ending.retryAt !== undefined)
  );
}

function tellEnd(
  { kind, time, child, endedBy, command, endings }: AuditRecord,
  isLeftByDesign: boolean,
): readonly Fact[] {
  if (kind !== "lease.end") return [];
  const facts: Fact[] = [];
  if (child !== undefined) {
    const signal = child.signal === undefined ? "" : ` (${child.signal})`;
    const text = `the command (${command?.argv0}) ended with exit ${child.exitCode}${signal}`;
    facts.push(toFact(child.endedAt ?? time, text));
  }
  if (endedBy !== undefined) facts.push(toFact(time, describeFinish(endedBy, endings, isLeftByDesign)));
  return facts;
}

function describeFinish(
  endedBy: NonNullable<AuditRecord["endedBy"]>,
  endings: AuditRecord["endings"],
  isLeftByDesign: boolean,
): string {
  const { by, pid, strays } = endedBy;
  const who = `${FINISHERS[by]}, process ${pid}`;
  const isOpen = endings?.some(isUnfinished) === true;
  const finished = isLeftByDesign
    ? `what its agentctl had left to be taken back later was seen to by ${who}`
    : `finished by ${who}`;
  const done = isOpen ? `tried by ${who}, and not finished` : finished;
  const gone = by === "watchdog" && !isLeftByDesign ? "its agentctl was gone; " : "";
  if (strays === undefined) return `${gone}${done}`;
  const left = strays.left === 0 ? "" : `, and ${strays.left} could not be`;
  const commands = strays.found === 0 ? "nothing of its command ran any more" : `${describeStrays(strays)}${left}`;
  return `${gone}${done}; ${commands}`;
}

/** Who ended a lease whose own agentctl had not. */
export const FINISHERS: Readonly<Record<LeaseFinisher, string>> = {
  watchdog: "its watchdog",
  sweep: "agentctl lease sweep",
  revoke: "agentctl lease revoke",
  run: "a later agentctl run",
};

/** What became of the processes of a lease's command that were still there. */
export function describeStrays({ found, killed, left }: NonNullable<SweptLease["strays"]>): string {
  const ended = found - left;
  const processes = ended === 1 ? "1 process of its command was ended" : `${ended} processes of its command were ended`;
  return killed === 0 ? processes : `${processes}, ${killed} by SIGKILL`;
}
