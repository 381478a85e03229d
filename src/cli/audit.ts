import { type Command, InvalidArgumentError, Option } from "commander";
import type { EventFilter, Verification } from "../audit/index.js";
import { escapeControlCharacters } from "../core/control-characters.js";
import { AgentctlError } from "../core/errors.js";
import { EVENT_KINDS, type EventKind } from "../core/event.js";
import { ACTOR_KINDS, type ActorKind } from "../core/profile.js";
import { renderAuditLine } from "./audit-line.js";
import type { CliContext } from "./context.js";
import { parseTimeRange } from "./time-range.js";

interface RangeOptions {
  readonly since?: string;
  readonly until?: string;
}

interface LogOptions extends RangeOptions {
  readonly profile?: string;
  readonly lease?: string;
  readonly actor?: ActorKind;
  readonly kind?: EventKind;
  readonly decision?: "allowed" | "denied";
  readonly last?: number;
  readonly json?: boolean;
  readonly follow?: boolean;
}

interface ExportOptions extends RangeOptions {
  readonly format: "jsonl" | "csv";
  readonly output: string;
}

const SINCE = ["--since <time>", "from this time on: a duration ago (2h), RFC 3339, or a date in UTC"] as const;
const UNTIL = ["--until <time>", "before this time; a date includes the whole day"] as const;

export function registerAudit(program: Command, context: CliContext): void {
  const audit = program
    .command("audit")
    .summary("read, check and export the audit log")
    .description("Read, check and export the audit log.")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  registerLog(audit, context);
  registerVerify(audit, context);
  registerExport(audit, context);
}

function registerLog(audit: Command, context: CliContext): void {
  audit
    .command("log")
    .summary("list what is on record")
    .description("List the records of the audit log, oldest first, times in UTC.")
    .option("-p, --profile <name>", "records of this profile")
    .option("--lease <id>", "records of this lease")
    .addOption(new Option("--actor <kind>", "records of this kind of actor").choices(ACTOR_KINDS))
    .addOption(new Option("--kind <kind>", "records of this kind").choices(EVENT_KINDS))
    .addOption(new Option("--decision <decision>", "records with this decision").choices(["allowed", "denied"]))
    .option(...SINCE)
    .option(...UNTIL)
    .option("-n, --last <count>", "only the last records that fit (with --follow 10, unless given)", parseCount)
    .option("-f, --follow", "go on with each new record, until interrupted")
    .option("--json", "print the records as JSON Lines")
    .addHelpText("after", LOG_EXAMPLES)
    .action((options: LogOptions) => showLog(options, context));
}

async function showLog(options: LogOptions, { runtime }: CliContext): Promise<void> {
  const { followEvents, readEvents, readLastEvents } = await import("../audit/index.js");
  const { last, json, follow, since, until, ...filters } = options;
  const filter: EventFilter = { ...filters, ...parseTimeRange(options, runtime.now()) };
  let [shown, unreadable] = [0, 0];
  const countUnreadable = (): void => {
    unreadable += 1;
  };
  const entries =
    follow === true
      ? followEvents(filter, runtime, { ...(last !== undefined && { last }) })
      : last === undefined
        ? readEvents(filter, runtime, countUnreadable)
        : await readLastEvents(last, filter, runtime, countUnreadable);
  for await (const { record, line } of entries) {
    runtime.stdout.write(json === true ? `${escapeControlCharacters(line)}\n` : renderAuditLine(record));
    shown += 1;
  }
  if (shown === 0 && json !== true) runtime.stderr.write(`agentctl: ${await explainNothing(runtime)}\n`);
  warnUnreadable(unreadable, runtime);
}

async function explainNothing(runtime: CliContext["runtime"]): Promise<string> {
  const { readLastEvents } = await import("../audit/index.js");
  let isEmpty = true;
  const countLine = (): void => {
    isEmpty = false;
  };
  const records = await readLastEvents(1, {}, runtime, countLine);
  return isEmpty && records.length === 0 ? "the audit log is empty" : "no such records";
}

function registerVerify(audit: Command, context: CliContext): void {
  audit
    .command("verify")
    .summary("check that no record was edited, removed or moved")
    .description("Follow the chain of hashes through the audit log, and say of the first break which line and what.")
    .option("--head <hash>", "the hash that a receipt holds: a record with it must be there", parseHash)
    .option("--json", "print the result as JSON")
    .addHelpText("after", VERIFY_EXAMPLES)
    .action((options: { readonly head?: string; readonly json?: boolean }) => verify(options, context));
}

/** @throws {AgentctlError} AUDIT_BROKEN */
async function verify(
  options: { readonly head?: string; readonly json?: boolean },
  { runtime }: CliContext,
): Promise<void> {
  const { verifyLog } = await import("../audit/index.js");
  const result = await verifyLog(options, runtime);
  if (options.json === true) runtime.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  const { problem } = result;
  if (problem !== undefined) {
    throw new AgentctlError("AUDIT_BROKEN", `the audit log breaks at line ${problem.line}: ${problem.what}`, {
      hint: `${result.records} records before it hold; an export or a sink elsewhere may have what is lost`,
      facts: { line: problem.line, kind: problem.kind },
    });
  }
  if (options.json !== true) runtime.stdout.write(describeVerified(result));
}

function describeVerified({ records, head, headFoundAt }: Verification): string {
  const found = headFoundAt === undefined ? "" : `; the hash given is that of record ${headFoundAt}`;
  return `ok: ${records} record${records === 1 ? "" : "s"}, head ${head}${found}\n`;
}

function registerExport(audit: Command, context: CliContext): void {
  audit
    .command("export")
    .summary("write the records of a time range as JSON Lines or CSV")
    .description("Write the records of a time range, to a file that only you can read, or to stdout.")
    .addOption(new Option("--format <format>", "how to write them").choices(["jsonl", "csv"]).default("jsonl"))
    .option(...SINCE)
    .option(...UNTIL)
    .option("-o, --output <file>", "where to; - is stdout", "-")
    .addHelpText("after", EXPORT_EXAMPLES)
    .action((options: ExportOptions) => exportLog(options, context));
}

async function exportLog({ format, output, ...range }: ExportOptions, { runtime }: CliContext): Promise<void> {
  const { exportEvents, writeExport } = await import("../audit/index.js");
  let unreadable = 0;
  const chunks = exportEvents(format, parseTimeRange(range, runtime.now()), runtime, () => {
    unreadable += 1;
  });
  if (output === "-") for await (const chunk of chunks) runtime.stdout.write(chunk);
  else await writeExport(output, chunks, runtime);
  warnUnreadable(unreadable, runtime);
}

function warnUnreadable(count: number, runtime: CliContext["runtime"]): void {
  if (count === 0) return;
  const lines = count === 1 ? "1 line of the log is not a record" : `${count} lines of the log are not records`;
  runtime.stderr.write(`agentctl: warning: ${lines}; agentctl audit verify says where it breaks\n`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,9}$/.test(text) || count === 0) throw new InvalidArgumentError("Give a whole number from 1 on.");
  return count;
}

function parseHash(text: string): string {
  const hash = text.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hash))
    throw new InvalidArgumentError("Give the 64 hex digits of audit.head in a receipt.");
  return hash;
}

const EXAMPLES = `
Examples:
  agentctl audit log --since 2h
  agentctl audit verify
`;

const LOG_EXAMPLES = `
Examples:
  agentctl audit log --since 2h --decision denied
  agentctl audit log -p deploy-web -n 20 --json | jq .endings
  agentctl audit log --follow
`;

const VERIFY_EXAMPLES = `
The chain shows accidents and partial edits. Someone who can write the whole file can write another one:
compare with the head that a receipt holds, or keep the records elsewhere as well (audit.sinks).

Examples:
  agentctl audit verify
  agentctl audit verify --head "$(jq -r .audit.head lease.json)"
`;

const EXPORT_EXAMPLES = `
CSV is RFC 4180 with a header, and has a column for everything that a record may hold: what has parts of its own
(rights, grants, endings) is JSON in its cell. revoked_by is who had the lease revoked; ended_by who ended it
where its own agentctl had not: watchdog, sweep, revoke or run. A text that a spreadsheet would run as a formula
gets an apostrophe before it.

Examples:
  agentctl audit export --since 2026-01-01 --until 2026-01-31 --format csv --output january.csv
  agentctl audit export --since 24h > day.jsonl
`;
