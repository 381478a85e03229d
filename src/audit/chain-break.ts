import type { AuditRecord, ChainHead } from "./chain.js";

export type BreakKind =
  | "not-a-record"
  | "half-line"
  | "edited"
  | "renumbered"
  | "missing"
  | "reordered"
  | "repeated"
  | "head-not-found";

export interface ChainBreak {
  readonly kind: BreakKind;
  /** The line of the file, from 1. */
  readonly line: number;
  /** In plain words. */
  readonly what: string;
}

/** A line of the log, hashed. */
export interface ScannedLine {
  readonly number: number;
  readonly hash: string;
  readonly bytes: number;
  readonly complete: boolean;
  readonly record: AuditRecord | undefined;
}

/**
 * Says what is wrong with a line that should follow `previous`, or undefined when it does follow.
 * Looks into the `rest` only when something is wrong, to tell an edit from a removal from another order.
 */
export function findBreak(
  line: ScannedLine,
  previous: ChainHead,
  rest: Iterator<ScannedLine>,
  expectedHead: string | undefined,
): ChainBreak | undefined {
  const { number, record } = line;
  if (!line.complete) {
    const what = `${line.bytes} bytes of half a record: a crash leaves this, and the next record cuts it off and says so`;
    return { kind: "half-line", line: number, what };
  }
  if (record === undefined)
    return { kind: "not-a-record", line: number, what: "it is not a JSON record with seq and prev" };
  const due = previous.seq + 1;
  if (record.prev === previous.head) {
    if (record.seq === due) return undefined;
    return { kind: "renumbered", line: number, what: `it says record ${record.seq} where record ${due} belongs` };
  }
  if (record.seq === due) return blameEdit(line, previous, rest, expectedHead);
  if (record.seq < due) return { kind: "repeated", line: number, what: `record ${record.seq} stands here once more` };
  return findAbsent(line, record.seq, due, rest);
}

/**
 * The hash that a line holds of the line before does not fit: one of the two was edited. The one whose own hash
 * the next line (or the expected head) still confirms was not.
 */
function blameEdit(
  line: ScannedLine,
  previous: ChainHead,
  rest: Iterator<ScannedLine>,
  expectedHead: string | undefined,
): ChainBreak {
  const { number, hash } = line;
  if (previous.seq === 0) return { kind: "edited", line: number, what: "it was edited: its prev is not a beginning" };
  const next = rest.next();
  const confirmed = next.done === true ? expectedHead === hash : next.value.record?.prev === hash;
  if (confirmed)
    return { kind: "edited", line: number - 1, what: `it was edited: line ${number} has another hash of it` };
  if (next.done !== true)
    return { kind: "edited", line: number, what: `it was edited: its prev is not the hash of line ${number - 1}` };
  return { kind: "edited", line: number - 1, what: `it was edited, or else the prev of line ${number}, the last` };
}

function findAbsent(line: ScannedLine, seq: number, due: number, rest: Iterator<ScannedLine>): ChainBreak {
  for (let next = rest.next(); next.done !== true; next = rest.next()) {
    if (next.value.record?.seq !== due) continue;
    const what = `record ${seq} stands here, and record ${due} in line ${next.value.number}`;
    return { kind: "reordered", line: line.number, what };
  }
  const absent = seq === due + 1 ? `record ${due} is` : `records ${due} to ${seq - 1} are`;
  return { kind: "missing", line: line.number, what: `${absent} missing before it` };
}
