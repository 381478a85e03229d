import type { AuditRecord } from "../audit/index.js";
import { describeEnding } from "./ending-line.js";
import { printable } from "./printable.js";
import { FINISHERS } from "./record-story.js";

const WIDTHS = { time: 20, kind: 20, lease: 18, profile: 16, actor: 10 } as const;

/**
 * One record in one line. Records come one by one, so the columns have fixed widths. Nothing of a record is
 * trusted: the log may have been edited, and values in it came from tokens and arguments.
 */
export function renderAuditLine(record: AuditRecord): string {
  const columns = [
    cell(`${record.time.slice(0, 19)}Z`, WIDTHS.time),
    cell(record.kind, WIDTHS.kind),
    cell(record.lease ?? "-", WIDTHS.lease),
    cell(record.profile ?? "-", WIDTHS.profile),
    cell(record.actor?.kind ?? "-", WIDTHS.actor),
    printable(describeRecord(record)),
  ];
  return `${columns.join("  ").trimEnd()}\n`;
}

function cell(text: unknown, width: number): string {
  return printable(String(text)).padEnd(width);
}

function describeRecord(record: AuditRecord): string {
  const { recovered, request } = record;
  if (recovered !== undefined) return `${recovered.bytes} bytes of half a record were cut off`;
  if (request !== undefined) return describeRequest(request, record.kind);
  const endings = list(record.endings, (ending) => tellEnding(ending, record.time));
  return `${commandOf(record)}${[...describeOutcome(record), ...endings].join("; ")}`;
}

function describeOutcome(record: AuditRecord): readonly string[] {
  const { kind, error } = record;
  const grants = list(record.grants, describeGrant);
  if (error !== undefined)
    return [`${error?.code}: ${error?.message}`, ...(kind === "grant.renewal_failed" ? grants : [])];
  if (kind === "lease.revoked") return [describeRevoker(record)];
  if (kind !== "lease.end") return grants;
  return [
    record.endedBy === undefined ? describeChild(record) : describeFinisher(record.endedBy, record.endings),
    ...describeService(record),
  ];
}

function describeRevoker({ revokedBy }: AuditRecord): string {
  const { user, pid } = Object(revokedBy) as NonNullable<typeof revokedBy>;
  return `revoked by ${user === undefined ? "" : `${user}, `}process ${pid}`;
}

/** Its own agentctl had died, or did not answer. */
function describeFinisher(endedBy: NonNullable<AuditRecord["endedBy"]>, endings: AuditRecord["endings"]): string {
  const { by, pid, strays } = Object(endedBy) as typeof endedBy;
  const isOpen = list(endings, (ending) => ending?.isUnfinished).includes(true);
  const left = strays === undefined ? "" : `; processes ended: ${strays.found}, killed: ${strays.killed}`;
  return `${isOpen ? "tried" : "ended"} by ${FINISHERS[by]}, process ${pid}${left}`;
}

/** A lease of `credential` or `doctor` hands out or tries credentials, and starts nothing. */
function describeChild({ child }: AuditRecord): string {
  if (child === undefined) return "no command was started";
  const { exitCode, signal } = Object(child) as typeof child;
  return signal === undefined ? `exit ${exitCode}` : `exit ${exitCode} (${signal})`;
}

/** As it was then; nothing in it is sure to have its shape. */
function tellEnding(ending: NonNullable<AuditRecord["endings"]>[number], recordedAt: string): string {
  const { cloud, word, at, detail, shortfall } = Object(ending) as typeof ending;
  return describeEnding({ cloud, word, at, detail, ...(shortfall && { shortfall }) }, Date.parse(recordedAt));
}

function describeRequest(request: NonNullable<AuditRecord["request"]>, kind: AuditRecord["kind"]): string {
  const { cloud, reason, message, peer } = Object(request) as typeof request;
  const outcome = kind === "endpoint.unverified" ? `answered though ${reason}` : reason;
  const asker = peer === undefined ? "" : `; asked by process ${peer?.pid} (${peer?.program ?? "unknown"})`;
  return `${cloud === undefined ? "" : `${cloud}: `}${outcome}: ${message}${asker}`;
}

/** What the endpoint did while the lease lived. */
function describeService({ renewals, refusals }: AuditRecord): readonly string[] {
  const counts = list(renewals, describeCount);
  return refusals === undefined || refusals === 0 ? counts : [...counts, `refused requests: ${refusals}`];
}

function describeCount(count: NonNullable<AuditRecord["renewals"]>[number]): string {
  const failures = count?.failed === 0 ? "" : ` (failed tries: ${count?.failed})`;
  return `${count?.cloud} renewals: ${count?.renewed}${failures}`;
}

/** A program may be called like a cloud, `aws` for one, so it is said that it is the command. */
function commandOf({ command }: AuditRecord): string {
  if (command === undefined) return "";
  return command?.argv0 === "agentctl" ? "agentctl: " : `command ${command?.argv0}: `;
}

function describeGrant(grant: NonNullable<AuditRecord["grants"]>[number]): string {
  return `${grant?.cloud} as ${grant?.principal} until ${grant?.usableUntil}`;
}

function list<T, U>(values: readonly T[] | undefined, describe: (value: T) => U): readonly U[] {
  return Array.isArray(values) ? values.map(describe) : [];
}
