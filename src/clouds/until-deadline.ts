import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { LeaseTerms } from "../core/lease.js";
import type { Runtime } from "../core/runtime.js";
import { withinTime } from "./within-time.js";

/**
 * Runs `issue` with a signal that is aborted when `signal` is, or at the lease's deadline: a grant that comes later
 * is of no use to anybody, and a short lease must not wait for a slow cloud for longer than it lasts.
 */
export function untilDeadline<T>(
  terms: Pick<LeaseTerms, "deadlineAt">,
  signal: AbortSignal,
  runtime: Pick<Runtime, "now">,
  issue: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const leftMs = Math.max(0, terms.deadlineAt - runtime.now());
  return withinTime(leftMs, signal, issue, tooLate(terms.deadlineAt));
}

function tooLate(deadlineAt: number): AgentctlError {
  return new AgentctlError("UNREACHABLE", `no answer came before the lease's own end at ${formatInstant(deadlineAt)}`, {
    hint: "try again in a while, or give the lease more time with ttl",
  });
}
