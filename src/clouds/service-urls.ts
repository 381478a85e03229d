import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { loadCloud, namesOf, settingsOf } from "./loaders.js";

/**
 * Where each of the profile's clouds is asked first, in the order of CLOUD_NAMES.
 * @throws {AgentctlError} what `Cloud.serviceUrl` throws
 */
export async function serviceUrls(
  profile: Profile,
  runtime: Pick<Runtime, "env">,
): Promise<{ readonly cloud: CloudName; readonly url: string }[]> {
  return Promise.all(namesOf(profile).map((name) => serviceUrlOf(name, profile, runtime)));
}

async function serviceUrlOf<Name extends CloudName>(name: Name, profile: Profile, runtime: Pick<Runtime, "env">) {
  const cloud = await loadCloud(name);
  return { cloud: name, url: cloud.serviceUrl(settingsOf(profile, name), runtime) };
}
