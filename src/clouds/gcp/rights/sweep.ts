import { formatInstant } from "../../../core/durations.js";
import type { EndContext } from "../../../core/lease.js";
import type { GcpSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import type { CloudSweep } from "../../cloud.js";
import { openParts } from "../../sweep-parts.js";
import type { Asking } from "./ask-rights.js";
import { beGranter, openFederation } from "./bearers.js";
import { changePolicy } from "./change-policy.js";
import { OPEN_LIMITS, type OpenLimits } from "./open-rights.js";
import { type Pruned, removeExpired } from "./remove-bindings.js";
import type { Rights } from "./rights.js";

/**
 * Takes those of our bindings off the profile's resources that have ended, whichever lease they were of; of the profile's
 * roles alone, since its granter may be allowed to change no others. A resource where that fails leaves the others be.
 * @throws {AgentctlError} as `openFederation` and `beGranter` do; INTERRUPTED
 */
export async function sweepBindings(
  granterAccount: string,
  { gifts }: Pick<Rights, "gifts">,
  settings: GcpSettings,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
  limits: OpenLimits = OPEN_LIMITS,
): Promise<CloudSweep> {
  const asking: Asking = { signal: context.signal, runtime, limits: limits.exchange };
  const federation = await openFederation(settings, (audiences) => context.mintToken(audiences), asking);
  const granter = await beGranter(settings, granterAccount, federation, asking);
  const parts = openParts(context.signal);
  const swept: Pruned[] = [];
  for (const { resource, roles } of gifts) {
    const remove = (bindings: readonly unknown[], googleNow: number) => removeExpired(roles, bindings, googleNow);
    const change = () => changePolicy(resource, remove, granter, asking, limits.change);
    const pruned = await parts.attempt(resource.name, change);
    if (pruned !== undefined) swept.push(pruned);
  }
  return {
    cloud: "gcp",
    where: gifts.map(({ resource }) => resource.name).join(", "),
    removed: swept.flatMap(({ removed }) => removed),
    kept: swept.flatMap(({ kept }) => kept.map(({ title, endsAt }) => ({ name: title, until: formatInstant(endsAt) }))),
    failures: parts.failures,
  };
}
