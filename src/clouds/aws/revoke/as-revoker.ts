import type { EndContext } from "../../../core/lease.js";
import type { AwsSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import type { ExchangeLimits } from "../limits.js";
import { stsRegionOf } from "../region.js";
import { assumeRevoker, type RevokerRequest, revokerSessionName } from "./revoker.js";
import { lastRoleOf } from "./revoker-settings.js";
import { openRolePolicies, type RolePolicies } from "./role-policies.js";

export interface Asking extends Pick<EndContext, "mintToken" | "signal"> {
  readonly limits: ExchangeLimits;
  /** Told of each time that AWS is asked. */
  onTry?(): void;
}

/**
 * Assumes the revoker and does `work` on the role's policies, by a clock that AWS's is `clockAheadMs` ahead of. The
 * revoker's keys do not leave this function.
 * @throws {AgentctlError} as `assumeRevoker`, `RolePolicies` and `work` do
 */
export async function asRevoker<T>(
  request: RevokerRequest,
  asking: Asking,
  runtime: Runtime,
  work: (role: RolePolicies, clockAheadMs: number) => Promise<T>,
): Promise<T> {
  const { signal, limits, onTry = () => {} } = asking;
  const revoker = await assumeRevoker(request, asking, runtime, limits, onTry);
  const role = openRolePolicies({ roleArn: request.roleArn, revoker, signal, limits, onTry }, runtime);
  try {
    return await work(role, revoker.clockAheadMs);
  } finally {
    role.close();
  }
}

/** The revoker for the settings' last role; `who` is told to CloudTrail. */
export function requestOf(
  revokerRoleArn: string,
  settings: AwsSettings,
  who: string,
  runtime: Pick<Runtime, "env">,
): RevokerRequest {
  return {
    roleArn: lastRoleOf(settings),
    revokerRoleArn,
    stsRegion: stsRegionOf(settings, runtime),
    audiences: settings.audiences,
    sessionName: revokerSessionName(who),
  };
}
