import { AgentctlError } from "./errors.js";
import type { Environment } from "./runtime.js";

/** The lease that this process is run in, by what its environment says. */
export interface SurroundingLease {
  readonly profileName: string;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
}

/** The surrounding lease when it is of the profile that is asked for, or when none is named. */
export function findSurroundingLease(wanted: string | undefined, env: Environment): SurroundingLease | undefined {
  const { AGENTCTL_LEASE_ID: id = "", AGENTCTL_PROFILE: profileName = "", AGENTCTL_EXPIRES_AT: end = "" } = env;
  const endsAt = Date.parse(end);
  if (id === "" || profileName === "" || !Number.isFinite(endsAt)) return undefined;
  return wanted === undefined || wanted === profileName ? { profileName, endsAt } : undefined;
}

/**
 * Inside a lease the caller's identity is missing on purpose, and the hint says so; `wayOut` says what to do instead,
 * given the name of that lease's profile.
 */
export function explainNesting(
  error: AgentctlError,
  env: Environment,
  wayOut: (profileName: string) => string,
): AgentctlError {
  const surrounding = findSurroundingLease(undefined, env);
  if (error.code !== "NO_IDENTITY" || surrounding === undefined) return error;
  const { profileName } = surrounding;
  return new AgentctlError(error.code, error.message, {
    hint: `this runs in the lease of profile ${profileName}, whose command is not given the caller's identity: ${wayOut(profileName)}`,
    facts: error.facts,
    cause: error.cause,
  });
}
