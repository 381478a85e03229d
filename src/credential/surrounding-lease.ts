import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { CloudName } from "../core/profile.js";
import type { Environment } from "../core/runtime.js";

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

/** @throws {AgentctlError} TOKEN_EXPIRED when the lease is over */
export function assertLeaseLives({ profileName, endsAt }: SurroundingLease, now: number): void {
  if (now < endsAt) return;
  throw new AgentctlError("TOKEN_EXPIRED", `the lease of profile ${profileName} ended at ${formatInstant(endsAt)}`, {
    hint: "start the command again with agentctl run; a longer ttl in the profile gives it more time",
  });
}

/** Inside the lease of another profile the caller's identity is missing on purpose, and the hint says so. */
export function explainNesting(error: AgentctlError, env: Environment): AgentctlError {
  const surrounding = findSurroundingLease(undefined, env);
  if (error.code !== "NO_IDENTITY" || surrounding === undefined) return error;
  const { profileName } = surrounding;
  return new AgentctlError(error.code, error.message, {
    hint: `this runs in the lease of profile ${profileName}, whose command is not given the caller's identity: ask for -p ${profileName}, or outside of it`,
    facts: error.facts,
    cause: error.cause,
  });
}

const TITLES: Readonly<Record<CloudName, string>> = { aws: "AWS", azure: "Azure", gcp: "Google Cloud" };

/** The lease has nothing of this cloud. */
export function notHeld(cloud: CloudName, { profileName }: SurroundingLease): AgentctlError {
  const message = `the lease of profile ${profileName}, which this runs in, holds nothing of ${TITLES[cloud]}`;
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: `start the command with a profile that has ${cloud} in it`,
  });
}

/** What a cloud's own names give when they are there and not empty. */
export function findValue(name: string, env: Environment): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
