import { type AgentctlError, toAgentctlError } from "../core/errors.js";
import type { EndContext, Ending, EndOrder } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { CloudSweep } from "./cloud.js";
import { loadCloud, namesOf, settingsOf } from "./loaders.js";

/** Ends grants side by side, in their order. Never throws for a cloud that could not. */
export async function endGrants(orders: readonly EndOrder[], context: EndContext, runtime: Runtime): Promise<Ending[]> {
  return Promise.all(orders.map(async (order) => (await loadCloud(order.cloud)).end(order, context, runtime)));
}

/** What came of sweeping a profile's clouds. */
export interface SweptClouds {
  readonly sweeps: readonly Omit<CloudSweep, "failures">[];
  /** Without a part, nothing in that cloud could be swept. */
  readonly failures: readonly { readonly cloud: CloudName; readonly part?: string; readonly error: AgentctlError }[];
}

/**
 * Removes what endings left in the profile's clouds and nobody needs any longer; of those clouds where there can be such
 * and the profile names who removes it. One that fails leaves the others be. Never throws.
 */
export async function sweepClouds(
  profile: Profile,
  mintFor: (cloud: CloudName) => EndContext["mintToken"],
  signal: AbortSignal,
  runtime: Runtime,
): Promise<SweptClouds> {
  const all = await Promise.all(
    namesOf(profile).map((name) => trySweep(name, profile, { mintToken: mintFor(name), signal }, runtime)),
  );
  return { sweeps: all.flatMap(({ sweeps }) => sweeps), failures: all.flatMap(({ failures }) => failures) };
}

async function trySweep<Name extends CloudName>(
  cloud: Name,
  profile: Profile,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
): Promise<SweptClouds> {
  try {
    const swept = await (await loadCloud(cloud)).sweep?.(settingsOf(profile, cloud), context, runtime);
    if (swept === undefined) return { sweeps: [], failures: [] };
    const { failures = [], ...sweep } = swept;
    return { sweeps: [sweep], failures: failures.map((failure) => ({ cloud, ...failure })) };
  } catch (thrown) {
    return { sweeps: [], failures: [{ cloud, error: toAgentctlError(thrown) }] };
  }
}
