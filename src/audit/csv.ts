import { stringify } from "csv-stringify/sync";
import { escapeControlCharacters } from "../core/control-characters.js";
import type { AuditRecord } from "./chain.js";

type Column = readonly [name: string, value: (record: AuditRecord) => unknown];

/** What has parts of its own is JSON in its cell. */
const COLUMNS: readonly Column[] = [
  ["seq", (record) => record.seq],
  ["time", (record) => record.time],
  ["kind", (record) => record.kind],
  ["lease", (record) => record.lease],
  ["profile", (record) => record.profile],
  ["actor_kind", (record) => record.actor?.kind],
  ["actor_name", (record) => record.actor?.name],
  ["actor_reason", (record) => record.actor?.reason],
  ["identity_source", (record) => record.identity?.source],
  ["issuer", (record) => record.identity?.issuer],
  ["subject", (record) => record.identity?.subject],
  ["claims", (record) => record.identity?.claims],
  ["token_sha256", (record) => record.identity?.tokenSha256],
  ["command", (record) => record.command?.argv0],
  ["path", (record) => record.command?.path],
  ["args_hash", (record) => record.command?.argsHash],
  ["argv", (record) => record.command?.argv],
  ["intent", (record) => record.intent],
  ["allowed", (record) => record.decision?.allowed],
  ["reasons", (record) => record.decision?.reasons],
  ["error_code", (record) => record.error?.code],
  ["error_message", (record) => record.error?.message],
  ["error_facts", (record) => record.error?.facts],
  ["rights", (record) => record.rights],
  ["grants", (record) => record.grants],
  ["passed", (record) => record.passed],
  ["renewals", (record) => record.renewals],
  ["refusals", (record) => record.refusals],
  ["request", (record) => record.request],
  ["endings", (record) => record.endings],
  ["revoked_by", (record) => record.revokedBy?.user],
  ["revoked_by_pid", (record) => record.revokedBy?.pid],
  ["revoked_at", (record) => record.revokedBy?.at],
  ["ended_by", (record) => record.endedBy?.by],
  ["ended_by_pid", (record) => record.endedBy?.pid],
  ["strays", (record) => record.endedBy?.strays],
  ["exit_code", (record) => record.child?.exitCode],
  ["signal", (record) => record.child?.signal],
  ["stopped_at_expiry", (record) => record.child?.stoppedAtExpiry],
  ["child_ended_at", (record) => record.child?.endedAt],
  ["endpoints", (record) => record.endpoints],
  ["recovered", (record) => record.recovered],
  ["prev", (record) => record.prev],
];

export function renderCsvHeader(): string {
  return renderRow(COLUMNS.map(([name]) => name));
}

export function renderCsvRecord(record: AuditRecord): string {
  return renderRow(COLUMNS.map(([, value]) => toCell(value(record))));
}

/**
 * A formula where a semicolon parts the cells, as it does for spreadsheets of many countries: there it begins a cell of
 * its own, and quotes before it do not keep it from being run.
 */
const FORMULA_INSIDE = /(?<=;["'\s]*)[=+\-@\uff0b\uff0d\uff1d\uff20]/g;

/**
 * RFC 4180: CRLF, quotes where needed, no control characters. A text that a spreadsheet would take for a formula
 * (it begins with = + - @, or their full-width forms) gets an apostrophe before it.
 */
function renderRow(cells: readonly string[]): string {
  return stringify([cells], { record_delimiter: "windows", escape_formulas: true });
}

function toCell(value: unknown): string {
  if (value === undefined) return "";
  const text = escapeControlCharacters(typeof value === "string" ? value : JSON.stringify(value));
  return text.replace(FORMULA_INSIDE, "'$&");
}
