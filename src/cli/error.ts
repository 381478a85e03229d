import type { AgentctlError } from "../core/errors.js";
import { printable } from "./printable.js";

/** An error as a user reads it: what happened, and in the next line what to do. */
export function renderError(error: AgentctlError): string {
  const lines = [`agentctl: error[${error.code}]: ${printable(error.message)}`];
  if (error.hint !== undefined) lines.push(`agentctl: hint: ${printable(error.hint)}`);
  return `${lines.join("\n")}\n`;
}
