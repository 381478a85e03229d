import type { ErrorCode } from "./error-codes.js";
import { EXIT_BY_ERROR } from "./exit-codes.js";

export type { ErrorCode } from "./error-codes.js";

export interface ErrorDetails {
  /** One line: what the user can do about it. */
  readonly hint?: string;
  /** Non-secret facts for `--json`, the audit record and the receipt, such as the claims that a cloud saw. */
  readonly facts?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly cause?: unknown;
  /** For INTERRUPTED: the exit code of the signal that interrupted. */
  readonly exitCode?: number;
}

/**
 * The one error type that reaches a user. `message` is one line in plain words and holds no secret;
 * `code` is stable; `exitCode` follows from the code.
 */
export class AgentctlError extends Error {
  override readonly name = "AgentctlError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, string | number | readonly string[]>>;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.facts = details.facts ?? {};
    this.exitCode = details.exitCode ?? EXIT_BY_ERROR[code];
  }
}

/** Turns anything thrown into an AgentctlError; what agentctl did not foresee is a DEFECT. */
export function toAgentctlError(thrown: unknown): AgentctlError {
  if (thrown instanceof AgentctlError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new AgentctlError("DEFECT", `unexpected: ${firstLine(text)}`, {
    hint: "this is a defect in agentctl; please report it with the command you ran",
    cause: thrown,
  });
}

/** The `code` of a Node system error (`ENOENT`, `ECONNREFUSED`, …), or undefined. */
export function systemErrorCode(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

export function firstLine(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
