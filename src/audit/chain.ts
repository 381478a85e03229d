import { createHash } from "node:crypto";
import { escapeControlCharacters } from "../core/control-characters.js";
import type { AuditEvent } from "../core/event.js";

/** An event as it stands in the log: `prev` is the SHA-256 of the line before, without its newline. */
export interface AuditRecord extends AuditEvent {
  /** 1, 2, 3, … without a gap. */
  readonly seq: number;
  readonly prev: string;
}

/** The end of the chain: the last record's number, and the SHA-256 of its line in lower-case hex. */
export interface ChainHead {
  readonly seq: number;
  readonly head: string;
}

/** What the first record names as the one before it. */
export const CHAIN_START: ChainHead = { seq: 0, head: "0".repeat(64) };

export function hashLine(line: Uint8Array | string): string {
  return createHash("sha256").update(line).digest("hex");
}

/** Links an event to the chain. The line is one that a terminal can be shown as it is. */
export function linkEvent(event: AuditEvent, after: ChainHead): { readonly line: string; readonly head: ChainHead } {
  const record: AuditRecord = { seq: after.seq + 1, prev: after.head, ...event };
  const line = escapeControlCharacters(JSON.stringify(record));
  return { line, head: { seq: record.seq, head: hashLine(line) } };
}

/** Reads a line of the log; undefined when it is not a record. Says nothing about the chain. */
export function parseRecord(line: string): AuditRecord | undefined {
  // JSON.parse would take the CR of a log whose line ends were changed for white space.
  if (!line.endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is AuditRecord {
  if (typeof value !== "object" || value === null) return false;
  const { seq, prev, kind, time } = value as Record<string, unknown>;
  return Number.isSafeInteger(seq) && typeof prev === "string" && typeof kind === "string" && typeof time === "string";
}
