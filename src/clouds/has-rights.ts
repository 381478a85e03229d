import type { CloudName, Profile } from "../core/profile.js";
import { loadCloud, namesOf, settingsOf } from "./loaders.js";

/** Whether any of the profile's clouds gives rights for the time of a lease. */
export async function hasRights(profile: Profile): Promise<boolean> {
  const found = await Promise.all(namesOf(profile).map((name) => hasRightsOf(name, profile)));
  return found.includes(true);
}

async function hasRightsOf<Name extends CloudName>(name: Name, profile: Profile): Promise<boolean> {
  return (await loadCloud(name)).hasRights?.(settingsOf(profile, name)) === true;
}
