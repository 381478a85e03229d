import { AgentctlError, toAgentctlError } from "../core/errors.js";
import type { Grant, IssueContext } from "../core/lease.js";
import type { CloudName } from "../core/profile.js";
import { nameCloud, worstOf } from "./worst-failure.js";

/** One cloud's part of what all of them have to do. */
export interface Part<T> {
  readonly cloud: CloudName;
  /** The cloud's name as a user reads it. */
  readonly title: string;
  run(signal: AbortSignal): Promise<T>;
}

/**
 * Runs all at once, and answers what they do, in their order. When one fails, or `signal` is aborted, the others are
 * aborted and waited for.
 * @throws {AgentctlError} the worst failure, with the cloud named
 */
export async function runAllOrNothing<T>(parts: readonly Part<T>[], signal: AbortSignal): Promise<T[]> {
  const stop = new AbortController();
  const passOn = () => stop.abort(signal.reason);
  signal.addEventListener("abort", passOn, { once: true });
  if (signal.aborted) passOn();
  const failures: AgentctlError[] = [];
  const running = parts.map(async (part) => {
    try {
      return [await part.run(stop.signal)];
    } catch (thrown) {
      failures.push(nameCloud(toAgentctlError(thrown), part));
      stop.abort(new AgentctlError("INTERRUPTED", "another cloud could not give what it should"));
      return [];
    }
  });
  const answers = await Promise.all(running);
  signal.removeEventListener("abort", passOn);
  const worst = worstOf(failures);
  if (worst !== undefined) throw worst;
  return answers.flat(1) as T[];
}

/** One cloud's part of a lease, ready to be asked for: a grant, or what has to be right beside it. */
export interface Issuing extends Omit<Part<never>, "run"> {
  issue(context: IssueContext): Promise<Grant | undefined>;
}

/**
 * Asks for all at once; whatever was issued when one fails has been told to `onIssued`.
 * @throws {AgentctlError} as `runAllOrNothing` does
 */
export async function issueAllOrNothing(
  issuings: readonly Issuing[],
  context: IssueContext,
  onIssued: (grant: Grant) => void,
): Promise<Grant[]> {
  const parts = issuings.map((issuing) => ({
    ...issuing,
    run: async (signal: AbortSignal) => {
      const grant = await issuing.issue({ mintToken: (audiences) => context.mintToken(audiences), signal });
      if (grant !== undefined) onIssued(grant);
      return grant;
    },
  }));
  return (await runAllOrNothing(parts, context.signal)).filter((grant) => grant !== undefined);
}
