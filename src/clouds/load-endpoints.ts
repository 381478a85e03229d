import type { CloudEndpoint } from "../core/endpoint.js";
import type { GrantPlan } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { loadCloud, settingsOf } from "./loaders.js";

/** How the tools of those clouds whose grants go by the endpoint read them, in the order of the plans. */
export async function loadEndpoints(
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  runtime: Pick<Runtime, "now">,
): Promise<CloudEndpoint[]> {
  const served = plans.filter(({ channel }) => channel === "endpoint");
  return Promise.all(served.map(({ cloud }) => serveOne(cloud, profile, runtime)));
}

async function serveOne<Name extends CloudName>(
  name: Name,
  profile: Profile,
  runtime: Pick<Runtime, "now">,
): Promise<CloudEndpoint> {
  return (await loadCloud(name)).serve(settingsOf(profile, name), runtime);
}
