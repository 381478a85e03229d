import type { ErrorCode } from "../core/error-codes.js";
import type { AgentctlError } from "../core/errors.js";

/** `note` is worth knowing and nothing to mend; `warn` works and should be seen to; `fail` does not work. */
export type FindingStatus = "ok" | "note" | "warn" | "fail";

/** What one check found, in one line. Holds no secret. */
export interface Finding {
  /** What it is told under, where that is not the check's own name. */
  readonly check?: string;
  readonly status: FindingStatus;
  readonly message: string;
  /** More of the same, a line each. */
  readonly details?: readonly string[];
  /** What to do. */
  readonly hint?: string;
  /** Of a warning or failure: what a run would stop with, or the nearest to it. */
  readonly code?: ErrorCode;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A finding of the check of this name, which may have several. */
export interface CheckFinding extends Finding {
  readonly check: string;
}

export function ok(message: string, facts?: Finding["facts"]): Finding {
  return { status: "ok", message, ...(facts !== undefined && { facts }) };
}

export function note(message: string, hint?: string): Finding {
  return { status: "note", message, ...(hint !== undefined && { hint }) };
}

export function warn(code: ErrorCode, message: string, hint?: string): Finding {
  return { status: "warn", code, message, ...(hint !== undefined && { hint }) };
}

export function fail(code: ErrorCode, message: string, hint?: string): Finding {
  return { status: "fail", code, message, ...(hint !== undefined && { hint }) };
}

/** An error as a failed check; `what` goes before its message. */
export function failWith(error: AgentctlError, what = ""): Finding {
  const { code, message, hint, facts } = error;
  const hasFacts = Object.keys(facts).length > 0;
  return {
    ...fail(code, what === "" ? message : `${what}: ${message}`, hint),
    ...(hasFacts && { facts }),
  };
}
