import { constants } from "node:fs";
import { AgentctlError } from "../core/errors.js";
import type { AuditEvent } from "../core/event.js";
import { withFileLock } from "../core/file-lock.js";
import { syncDirectory } from "../core/private-files.js";
import type { AuditSinkName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { readArgsKey } from "./args-key.js";
import { CHAIN_START, type ChainHead, hashLine, linkEvent, parseRecord } from "./chain.js";
import { readLastLine } from "./lines.js";
import { ensureAuditDir, toLogError, withLogFile } from "./log-file.js";
import { auditDir, auditLockFile, auditLogFile } from "./paths.js";
import { sendToSinks } from "./sinks.js";

export type { ChainHead } from "./chain.js";

/** Where the next record goes: at `end`, over the half line that a crash left there. */
interface Tail {
  readonly head: ChainHead;
  readonly end: number;
  readonly half: Buffer;
}

/**
 * Appends one record, synced to the disk, and passes it on to the sinks. A half line that a crash left is cut
 * off, and a `log.recovered` record before this one says so.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, AUDIT_BROKEN, LOCK_HELD; the log is then as it was before
 */
export async function appendEvent(
  event: AuditEvent,
  runtime: Runtime,
  sinks: readonly AuditSinkName[] = [],
): Promise<ChainHead> {
  const { lines, head } = await appendToFile(event, runtime);
  for (const line of lines) await sendToSinks(line, sinks, runtime);
  return head;
}

/**
 * Makes sure, before anything is issued, that the log, its directory and its key are there and can be written.
 * @throws {AgentctlError} AUDIT_UNWRITABLE, AUDIT_BROKEN
 */
export function checkAuditWritable(runtime: Runtime): void {
  try {
    ensureAuditDir(runtime);
    runtime.fs.accessSync(auditDir(runtime), constants.W_OK | constants.X_OK);
    withLogFile(runtime, (fd) => readTail(fd, runtime));
    readArgsKey(runtime);
  } catch (error) {
    throw toLogError(error, runtime);
  }
}

async function appendToFile(event: AuditEvent, runtime: Runtime): Promise<{ lines: string[]; head: ChainHead }> {
  try {
    ensureAuditDir(runtime);
    const append = () => withLogFile(runtime, (fd) => appendLocked(event, fd, runtime));
    return await withFileLock(auditLockFile(runtime), append, runtime);
  } catch (error) {
    throw toLogError(error, runtime);
  }
}

function appendLocked(event: AuditEvent, fd: number, runtime: Runtime): { lines: string[]; head: ChainHead } {
  const tail = readTail(fd, runtime);
  const events = tail.half.length === 0 ? [event] : [describeRecovery(tail.half, runtime), event];
  const lines: string[] = [];
  let head = tail.head;
  for (const each of events) {
    const linked = linkEvent(each, head);
    lines.push(linked.line);
    head = linked.head;
  }
  writeOrRestore(fd, Buffer.from(`${lines.join("\n")}\n`), tail, runtime);
  return { lines, head };
}

/** In one write(2), so that a crash leaves at most half a line. */
function writeOrRestore(fd: number, bytes: Buffer, tail: Tail, runtime: Runtime): void {
  const { fs } = runtime;
  try {
    const written = fs.writeSync(fd, bytes, 0, bytes.length, tail.end);
    if (written < bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes fit on the disk`);
    if (tail.half.length > bytes.length) fs.ftruncateSync(fd, tail.end + bytes.length);
    fs.fsyncSync(fd);
    if (tail.end === 0) syncDirectory(auditDir(runtime), fs);
  } catch (error) {
    restoreTail(fd, tail, fs);
    throw error;
  }
}

/** The half line is put back as well: its recovery is not on record yet. */
function restoreTail(fd: number, tail: Tail, fs: Runtime["fs"]): void {
  try {
    fs.ftruncateSync(fd, tail.end + tail.half.length);
    if (tail.half.length > 0) fs.writeSync(fd, tail.half, 0, tail.half.length, tail.end);
  } catch {
    // What is left is half a line, from which the next record recovers; the first error is the one to tell.
  }
}

function readTail(fd: number, runtime: Runtime): Tail {
  const { last, half } = readLastLine(fd, runtime.fs);
  if (last === undefined) return { head: CHAIN_START, end: 0, half };
  const record = parseRecord(last.bytes.toString("utf8"));
  if (record === undefined) {
    throw new AgentctlError("AUDIT_BROKEN", `the last line of ${auditLogFile(runtime)} is not an audit record`, {
      hint: "agentctl audit verify says where it breaks; keep the file under another name, and a new log begins",
    });
  }
  return { head: { seq: record.seq, head: hashLine(last.bytes) }, end: last.end, half };
}

function describeRecovery(half: Buffer, runtime: Runtime): AuditEvent {
  return {
    kind: "log.recovered",
    time: new Date(runtime.now()).toISOString(),
    recovered: { bytes: half.length, sha256: hashLine(half) },
  };
}
