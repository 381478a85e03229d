import { CLOUD_TITLES } from "../core/cloud-titles.js";
import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { CloudName } from "../core/profile.js";
import type { Environment } from "../core/runtime.js";
import type { SurroundingLease } from "../core/surrounding-lease.js";

/** @throws {AgentctlError} TOKEN_EXPIRED when the lease is over */
export function assertLeaseLives({ profileName, endsAt }: SurroundingLease, now: number): void {
  if (now < endsAt) return;
  throw new AgentctlError("TOKEN_EXPIRED", `the lease of profile ${profileName} ended at ${formatInstant(endsAt)}`, {
    hint: "start the command again with agentctl run; a longer ttl in the profile gives it more time",
  });
}

/** The lease has nothing of this cloud. */
export function notHeld(cloud: CloudName, { profileName }: SurroundingLease): AgentctlError {
  const message = `the lease of profile ${profileName}, which this runs in, holds nothing of ${CLOUD_TITLES[cloud]}`;
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: `start the command with a profile that has ${cloud} in it`,
  });
}

/** What a cloud's own names give when they are there and not empty. */
export function findValue(name: string, env: Environment): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
