import { type AgentctlError, toAgentctlError } from "../core/errors.js";

/** One of the places that a sweep could not look through, or clear. */
export interface FailedPart {
  /** Such as an application, a scope or a resource. */
  readonly part: string;
  readonly error: AgentctlError;
}

/** The parts of a sweep, of which one that fails leaves the others be. */
export interface SweepParts {
  readonly failures: readonly FailedPart[];
  /**
   * What `work` answers; undefined where it failed, which is among the failures then.
   * @throws {AgentctlError} what `work` throws once the sweep is given up
   */
  attempt<T>(part: string, work: () => Promise<T>): Promise<T | undefined>;
}

export function openParts(signal: AbortSignal): SweepParts {
  const failures: FailedPart[] = [];
  return {
    failures,
    async attempt(part, work) {
      try {
        return await work();
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        failures.push({ part, error: toAgentctlError(thrown) });
        return undefined;
      }
    },
  };
}
