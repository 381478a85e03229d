import type { CloudName, CloudSettings, Profile } from "../core/profile.js";
import { loadCloud, namesOf, settingsOf } from "./loaders.js";

/** The profile with nothing that is given for the time of a lease: a grant of it is of what its principal has anyway. */
export async function withoutRights(profile: Profile): Promise<Profile> {
  const parts = await Promise.all(namesOf(profile).map((name) => partOf(name, profile)));
  return { ...profile, clouds: Object.assign({}, ...parts) };
}

async function partOf<Name extends CloudName>(name: Name, profile: Profile): Promise<CloudSettings> {
  const settings = settingsOf(profile, name);
  return { [name]: (await loadCloud(name)).withoutRights?.(settings) ?? settings };
}
