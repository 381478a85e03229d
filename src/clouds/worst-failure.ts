import { AgentctlError } from "../core/errors.js";
import { EXIT } from "../core/exit-codes.js";
import type { CloudName } from "../core/profile.js";

/**
 * When several clouds fail, the one that says most about what to change is told: a denial, then wrong
 * configuration, then a senseless answer, then a defect, then a service out of reach; the interruption
 * that a failure causes in the others comes last.
 */
const WORST_FIRST: readonly number[] = [
  EXIT.denied,
  EXIT.config,
  EXIT.protocol,
  EXIT.defect,
  EXIT.io,
  EXIT.unavailable,
];

/** Undefined where nothing failed. */
export function worstOf(failures: readonly AgentctlError[]): AgentctlError | undefined {
  return [...failures].sort((one, other) => rankOf(one) - rankOf(other))[0];
}

function rankOf(error: AgentctlError): number {
  const rank = error.code === "INTERRUPTED" ? -1 : WORST_FIRST.indexOf(error.exitCode);
  return rank < 0 ? WORST_FIRST.length : rank;
}

/** The failure of one cloud, which its message names: several are asked at once. */
export function nameCloud(
  error: AgentctlError,
  { cloud, title }: { readonly cloud: CloudName; readonly title: string },
): AgentctlError {
  // As one of the first words: further on, an audience or a subject may hold the name by chance.
  const named = error.code === "INTERRUPTED" || new RegExp(`^(\\w+ ){0,2}${title}\\b`).test(error.message);
  const message = named ? error.message : `${title}: ${error.message}`;
  return copyOf(error, message, { cloud });
}

function copyOf(error: AgentctlError, message: string, facts: AgentctlError["facts"]): AgentctlError {
  return new AgentctlError(error.code, message, {
    ...(error.hint !== undefined && { hint: error.hint }),
    facts: { ...error.facts, ...facts },
    exitCode: error.exitCode,
    cause: error.cause,
  });
}
