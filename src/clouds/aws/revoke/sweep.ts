import { formatInstant } from "../../../core/durations.js";
import type { EndContext } from "../../../core/lease.js";
import type { AwsSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import type { CloudSweep } from "../../cloud.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../limits.js";
import { asRevoker, requestOf } from "./as-revoker.js";
import { readDenyName } from "./deny.js";
import { pruneExpired } from "./prune.js";

/**
 * Deletes the denies that no session needs any longer, whoever put them on the role.
 * @throws {AgentctlError} as `asRevoker` does
 */
export async function sweepRole(
  revokerRoleArn: string,
  settings: AwsSettings,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<CloudSweep> {
  const request = requestOf(revokerRoleArn, settings, "sweep", runtime);
  return asRevoker(
    request,
    { mintToken: (audiences) => context.mintToken(audiences), signal: context.signal, limits },
    runtime,
    async (role, clockAheadMs) => {
      const { removed, kept } = await pruneExpired(role, runtime.now() + clockAheadMs, Number.POSITIVE_INFINITY);
      return { cloud: "aws", where: request.roleArn, removed, kept: kept.flatMap(describeKept) };
    },
  );
}

function describeKept(name: string): CloudSweep["kept"] {
  const deny = readDenyName(name);
  return deny === undefined ? [] : [{ name, until: formatInstant(deny.untilSeconds * 1000) }];
}
