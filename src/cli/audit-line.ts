import type { AuditRecord } from "../audit/index.js";
import { printable } from "./printable.js";

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
  const { child, error, recovered, request } = record;
  if (recovered !== undefined) return `${recovered.bytes} bytes of half a record were cut off`;
  if (request !== undefined) return describeRequest(request, record.kind);
  if (record.kind === "grant.renewal_failed")
    return `${error?.code}: ${error?.message}; ${list(record.grants, describeGrant)}`;
  if (error !== undefined) return `${commandOf(record)}${error.code}: ${error.message}`;
  if (child === undefined) return `${commandOf(record)}${list(record.grants, describeGrant)}`;
  const exit = child.signal === undefined ? `exit ${child.exitCode}` : `exit ${child.exitCode} (${child.signal})`;
  return `${commandOf(record)}${exit}${describeService(record)}${list(record.endings, describeEnding)}`;
}

function describeEnding(ending: NonNullable<AuditRecord["endings"]>[number]): string {
  return `; ${ending?.cloud} ${ending?.word} ${ending?.at}`;
}

function describeRequest(request: NonNullable<AuditRecord["request"]>, kind: AuditRecord["kind"]): string {
  const { cloud, reason, message, peer } = Object(request) as typeof request;
  const outcome = kind === "endpoint.unverified" ? `answered though ${reason}` : reason;
  const asker = peer === undefined ? "" : `; asked by process ${peer?.pid} (${peer?.program ?? "unknown"})`;
  return `${cloud === undefined ? "" : `${cloud}: `}${outcome}: ${message}${asker}`;
}

/** What the endpoint did while the lease lived. */
function describeService({ renewals, refusals }: AuditRecord): string {
  const counts = list(renewals, describeCount);
  return refusals === undefined || refusals === 0 ? counts : `${counts}; refused requests: ${refusals}`;
}

function describeCount(count: NonNullable<AuditRecord["renewals"]>[number]): string {
  const failures = count?.failed === 0 ? "" : ` (failed tries: ${count?.failed})`;
  return `; ${count?.cloud} renewals: ${count?.renewed}${failures}`;
}

function commandOf(record: AuditRecord): string {
  return record.command === undefined ? "" : `${record.command.argv0}: `;
}

function describeGrant(grant: NonNullable<AuditRecord["grants"]>[number]): string {
  return `${grant?.cloud} as ${grant?.principal} until ${grant?.usableUntil} `;
}

function list<T>(values: readonly T[] | undefined, describe: (value: T) => string): string {
  return Array.isArray(values) ? values.map(describe).join("") : "";
}
