import type { EndContext, Ending, EndOrder } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { CloudSweep } from "./cloud.js";
import { loadCloud, namesOf, settingsOf } from "./loaders.js";

/** Ends grants side by side, in their order. Never throws for a cloud that could not. */
export async function endGrants(orders: readonly EndOrder[], context: EndContext, runtime: Runtime): Promise<Ending[]> {
  return Promise.all(orders.map(async (order) => (await loadCloud(order.cloud)).end(order, context, runtime)));
}

/**
 * Removes what endings left in the profile's clouds and nobody needs any longer; of those clouds where there can be such
 * and the profile names who removes it.
 * @throws {AgentctlError} what `Cloud.sweep` throws
 */
export async function sweepClouds(
  profile: Profile,
  mintFor: (cloud: CloudName) => EndContext["mintToken"],
  signal: AbortSignal,
  runtime: Runtime,
): Promise<CloudSweep[]> {
  const sweeps = await Promise.all(
    namesOf(profile).map((name) => sweepOne(name, profile, { mintToken: mintFor(name), signal }, runtime)),
  );
  return sweeps.filter((sweep) => sweep !== undefined);
}

async function sweepOne<Name extends CloudName>(
  name: Name,
  profile: Profile,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
): Promise<CloudSweep | undefined> {
  return (await loadCloud(name)).sweep?.(settingsOf(profile, name), context, runtime);
}
