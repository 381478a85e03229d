import path from "node:path";
import { formatDuration } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { LeaseTerms } from "../core/lease.js";
import type { AzureSettings, Profile } from "../core/profile.js";
import type { RunRequest } from "../core/run-request.js";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";
import { newLeaseId } from "./lease-id.js";

/** How long the clouds' rooms wait where the profile does not say. */
const USUAL_WAIT_SECONDS = 300;

/**
 * Fixes what a lease is called and when it ends. The clock runs from here: what issuing takes is part of the ttl.
 * @throws {AgentctlError} USAGE when more time is asked for than the profile gives
 */
export function setTerms(profile: Profile, request: RunRequest, runtime: Pick<Runtime, "now">): LeaseTerms {
  const ttlSeconds = request.ttlSeconds ?? profile.ttlSeconds;
  if (ttlSeconds > profile.ttlSeconds) {
    const [asked, given] = [formatDuration(ttlSeconds), formatDuration(profile.ttlSeconds)];
    throw new AgentctlError("USAGE", `--ttl ${asked} is longer than the ${given} of profile ${profile.name}`, {
      hint: "--ttl can only shorten a lease; its length is set by ttl in the profile",
    });
  }
  const openedAt = runtime.now();
  const deadlineAt = openedAt + ttlSeconds * 1000;
  return {
    leaseId: newLeaseId(),
    profileName: profile.name,
    openedAt,
    deadlineAt,
    latestDeadlineAt: deadlineAt + longestWaitSeconds(profile) * 1000,
    ttlSeconds,
    deliver: request.deliver ?? profile.deliver,
  };
}

/** The clouds are waited for side by side. */
function longestWaitSeconds({ clouds: { azure, gcp } }: Profile): number {
  const azureSeconds = azure === undefined ? 0 : azureWaitSeconds(azure);
  const entitlementSeconds = gcp?.entitlement === undefined ? 0 : USUAL_WAIT_SECONDS;
  return Math.max(azureSeconds, gcp?.ready?.timeoutSeconds ?? entitlementSeconds);
}

/** Other leases are waited for first, and then what was assigned. */
function azureWaitSeconds({ assignments, ready }: AzureSettings): number {
  if (assignments.length === 0) return 0;
  return ready === undefined ? USUAL_WAIT_SECONDS : 2 * ready.timeoutSeconds;
}

/** The terms of a lease whose rights work: its time begins. */
export function beginTerms(terms: LeaseTerms, runtime: Pick<Runtime, "now">): LeaseTerms {
  return { ...terms, deadlineAt: Math.min(terms.latestDeadlineAt, runtime.now() + terms.ttlSeconds * 1000) };
}

/** Where the private files of a lease are while it lives. */
export function privateDirOf(leaseId: string, runtime: Pick<Runtime, "env" | "cwd">): string {
  return path.join(privateDirsRoot(runtime), leaseId);
}

/** Holds a directory for each lease that lives. */
export function privateDirsRoot(runtime: Pick<Runtime, "env" | "cwd">): string {
  return path.join(stateDir(runtime), "run");
}
