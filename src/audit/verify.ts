import { constants } from "node:fs";
import { withFileLock } from "../core/file-lock.js";
import type { Runtime } from "../core/runtime.js";
import { CHAIN_START, type ChainHead, hashLine, parseRecord } from "./chain.js";
import { type ChainBreak, findBreak, type ScannedLine } from "./chain-break.js";
import { readLines } from "./lines.js";
import { toLogError } from "./log-file.js";
import { auditDir, auditLockFile } from "./paths.js";
import { openLog } from "./read.js";

export interface Verification {
  readonly ok: boolean;
  /** How many records hold, from the first on. */
  readonly records: number;
  /** The hash of the last record that holds; 64 zeros where none does. */
  readonly head: string;
  /** Where a hash was asked for: the `seq` of the record that has it. */
  readonly headFoundAt?: number;
  readonly problem?: ChainBreak;
}

/**
 * Follows the chain from the first record to the last, and says of the first break which line and what.
 * With `head`, such as a receipt holds, some record must have that hash: records cut off at the end, and an
 * edit of the last one, show in no other way.
 * @throws {AgentctlError} AUDIT_UNWRITABLE when the log can't be read, LOCK_HELD
 */
export async function verifyLog(options: { readonly head?: string }, runtime: Runtime): Promise<Verification> {
  const fd = openLog(runtime);
  if (fd === undefined) return followChain([].values(), options.head);
  try {
    const size = await measureSettled(fd, runtime);
    return followChain(scanLines(fd, size, runtime), options.head);
  } catch (error) {
    throw toLogError(error, runtime);
  } finally {
    runtime.fs.closeSync(fd);
  }
}

/** The size while nobody writes, so that a record on its way is not taken for half a one. A copy of a log has no writers. */
function measureSettled(fd: number, runtime: Runtime): number | Promise<number> {
  const measure = () => runtime.fs.fstatSync(fd).size;
  try {
    runtime.fs.accessSync(auditDir(runtime), constants.W_OK);
  } catch {
    return measure();
  }
  return withFileLock(auditLockFile(runtime), measure, runtime);
}

function* scanLines(fd: number, size: number, runtime: Runtime): Generator<ScannedLine> {
  let number = 0;
  for (const { bytes, complete } of readLines(fd, runtime.fs, 0, size)) {
    number += 1;
    const record = parseRecord(bytes.toString("utf8"));
    yield { number, hash: hashLine(bytes), bytes: bytes.length, complete, record };
  }
}

function followChain(lines: IterableIterator<ScannedLine>, expectedHead: string | undefined): Verification {
  let before = CHAIN_START;
  let last = CHAIN_START;
  let headFoundAt: number | undefined;
  for (const line of lines) {
    const problem = findBreak(line, last, lines, expectedHead);
    if (problem !== undefined) return broken(problem, problem.line < line.number ? before : last);
    before = last;
    last = { seq: last.seq + 1, head: line.hash };
    if (line.hash === expectedHead) headFoundAt = last.seq;
  }
  const whole = { ok: true, records: last.seq, head: last.head };
  if (expectedHead === undefined) return whole;
  if (headFoundAt !== undefined) return { ...whole, headFoundAt };
  const what = `no record has the hash ${expectedHead}: since it was given, records were cut off or rewritten`;
  return broken({ kind: "head-not-found", line: last.seq, what }, last);
}

function broken(problem: ChainBreak, upTo: ChainHead): Verification {
  return { ok: false, records: upTo.seq, head: upTo.head, problem };
}
