import { setImmediate as nextTurn } from "node:timers/promises";
import { systemErrorCode } from "../core/errors.js";
import { openPrivate } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { type AuditRecord, parseRecord } from "./chain.js";
import { type EventFilter, matchesFilter } from "./filter.js";
import { readLines } from "./lines.js";
import { toLogError } from "./log-file.js";
import { auditLogFile } from "./paths.js";

/** A record and the line that holds it, as written. */
export interface LoggedRecord {
  readonly record: AuditRecord;
  readonly line: string;
}

export interface FollowRules {
  /** How many of the records already there to begin with. Default 10. */
  readonly last?: number;
  readonly signal?: AbortSignal;
}

const POLL_MS = 250;
const LINES_A_TURN = 200;

/**
 * The records that fit, oldest first, a chunk of the file at a time. Nothing when there is no log.
 * `onUnreadable` is called for a complete line that is no record; whether the chain holds is for `verifyLog` to say.
 * @throws {AgentctlError} AUDIT_UNWRITABLE when the log can't be read
 */
export async function* readEvents(
  filter: EventFilter,
  runtime: Runtime,
  onUnreadable: () => void = () => {},
): AsyncGenerator<LoggedRecord> {
  for await (const entry of readFrom(0, runtime)) {
    if (entry.record === undefined) onUnreadable();
    else if (matchesFilter(entry.record, filter)) yield { record: entry.record, line: entry.line };
  }
}

/** The last `count` records that fit, oldest first. Holds no more than that in memory. */
export async function readLastEvents(
  count: number,
  filter: EventFilter,
  runtime: Runtime,
  onUnreadable: () => void = () => {},
): Promise<readonly LoggedRecord[]> {
  const last: LoggedRecord[] = [];
  for await (const entry of readEvents(filter, runtime, onUnreadable)) {
    last.push(entry);
    if (last.length > count) last.shift();
  }
  return last;
}

/** The last records that fit, and then each new one, until the signal. A log that was replaced is read from its start. */
export async function* followEvents(
  filter: EventFilter,
  runtime: Runtime,
  rules: FollowRules = {},
): AsyncGenerator<LoggedRecord> {
  const last: LoggedRecord[] = [];
  let offset = 0;
  for await (const { record, line, end } of readFrom(0, runtime)) {
    offset = end;
    if (record !== undefined && matchesFilter(record, filter)) last.push({ record, line });
    if (last.length > (rules.last ?? 10)) last.shift();
  }
  yield* last;
  while (rules.signal?.aborted !== true) {
    if (sizeOfLog(runtime) < offset) offset = 0;
    for await (const { record, line, end } of readFrom(offset, runtime)) {
      offset = end;
      if (record !== undefined && matchesFilter(record, filter)) yield { record, line };
    }
    await runtime.sleep(POLL_MS);
    await nextTurn();
  }
}

interface Entry {
  readonly record: AuditRecord | undefined;
  readonly line: string;
  readonly end: number;
}

/** Every complete line. Lets the event loop turn now and then, so that a reader that has gone is noticed. */
async function* readFrom(offset: number, runtime: Runtime): AsyncGenerator<Entry> {
  const fd = openLog(runtime);
  if (fd === undefined) return;
  try {
    let lines = 0;
    for (const { bytes, end, complete } of readLines(fd, runtime.fs, offset)) {
      if (!complete) return;
      const line = bytes.toString("utf8");
      yield { record: parseRecord(line), line, end };
      lines += 1;
      if (lines % LINES_A_TURN === 0) await nextTurn();
    }
  } catch (error) {
    throw toLogError(error, runtime);
  } finally {
    runtime.fs.closeSync(fd);
  }
}

/** Opens the log for reading; undefined when there is none. */
export function openLog(runtime: Runtime): number | undefined {
  try {
    return openPrivate(auditLogFile(runtime), "read", runtime.fs);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw toLogError(error, runtime);
  }
}

function sizeOfLog(runtime: Runtime): number {
  return runtime.fs.statSync(auditLogFile(runtime), { throwIfNoEntry: false })?.size ?? 0;
}
