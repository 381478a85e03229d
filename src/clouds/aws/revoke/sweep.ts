import { formatInstant } from "../../../core/durations.js";
import type { EndContext } from "../../../core/lease.js";
import type { AwsSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import type { CloudSweep } from "../../cloud.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../limits.js";
import { stsRegionOf } from "../region.js";
import { readDenyName } from "./deny.js";
import { pruneExpired } from "./prune.js";
import { assumeRevoker, revokerSessionName } from "./revoker.js";
import { lastRoleOf } from "./revoker-settings.js";
import { openRolePolicies } from "./role-policies.js";

/**
 * Deletes the denies that no session needs any longer, whoever put them on the role.
 * @throws {AgentctlError} as `assumeRevoker` and `RolePolicies` do
 */
export async function sweepRole(
  revokerRoleArn: string,
  settings: AwsSettings,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<CloudSweep> {
  const roleArn = lastRoleOf(settings);
  const { audiences } = settings;
  const sessionName = revokerSessionName("sweep");
  const request = { roleArn, revokerRoleArn, stsRegion: stsRegionOf(settings, runtime), audiences, sessionName };
  const onTry = () => {};
  const revoker = await assumeRevoker(request, context, runtime, limits, onTry);
  const role = openRolePolicies({ roleArn, revoker, signal: context.signal, limits, onTry }, runtime);
  try {
    const awsNow = runtime.now() + revoker.clockAheadMs;
    const { removed, kept } = await pruneExpired(role, awsNow, Number.POSITIVE_INFINITY);
    return { cloud: "aws", where: roleArn, removed, kept: kept.flatMap(describeKept) };
  } finally {
    role.close();
  }
}

function describeKept(name: string): CloudSweep["kept"] {
  const deny = readDenyName(name);
  return deny === undefined ? [] : [{ name, until: formatInstant(deny.untilSeconds * 1000) }];
}
