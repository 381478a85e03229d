import type { ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";

/** The parameters of a call of the AWS Query protocol. */
export type Form = URLSearchParams;

export interface TextRules {
  readonly min: number;
  readonly max: number;
  readonly pattern?: string;
  /** True: the value is not repeated in the refusal. */
  readonly isSecret?: boolean;
}

/** A call is a form in a POST's body, or a GET's query. */
export function readForm(request: ServiceRequest): Form {
  if (request.method === "POST") return new URLSearchParams(request.body.toString("utf8"));
  return new URLSearchParams(
    Object.fromEntries(Object.entries(request.query).map(([k, v]) => [k, [v].flat()[0] ?? ""])),
  );
}

/** @throws {WireError} MissingAction, InvalidAction */
export function assertOperation(form: Form, version: string, operations: readonly string[]): void {
  const action = form.get("Action");
  const asked = form.get("Version");
  if (action === null) throw new WireError(400, "MissingAction", "Could not find operation in the request");
  if (asked !== version || !operations.includes(action)) {
    throw new WireError(
      400,
      "InvalidAction",
      `Could not find operation ${action} for version ${asked ?? "NO_VERSION_SPECIFIED"}`,
    );
  }
}

/**
 * A parameter, checked as the service's own model has it; `member` is what the refusal calls it.
 * @throws {WireError} ValidationError
 */
export function readText(form: Form, name: string, member: string, rules: TextRules): string {
  const value = form.get(name);
  if (value === null) throw invalid(`Value null at '${member}' failed to satisfy constraint: Member must not be null`);
  const shown = rules.isSecret === true ? "'***'" : `'${value}'`;
  const fail = (constraint: string): WireError =>
    invalid(`Value ${shown} at '${member}' failed to satisfy constraint: Member must ${constraint}`);
  if (value.length < rules.min) throw fail(`have length greater than or equal to ${rules.min}`);
  if (value.length > rules.max) throw fail(`have length less than or equal to ${rules.max}`);
  if (rules.pattern !== undefined && !new RegExp(`^(?:${rules.pattern})$`).test(value)) {
    throw fail(`satisfy regular expression pattern: ${rules.pattern}`);
  }
  return value;
}

export function invalid(detail: string): WireError {
  return new WireError(400, "ValidationError", `1 validation error detected: ${detail}`);
}
