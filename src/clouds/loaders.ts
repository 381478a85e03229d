import { CLOUD_NAMES, type CloudName, type Profile } from "../core/profile.js";
import type { Cloud } from "./cloud.js";

type Loaders = { readonly [Name in CloudName]: () => Promise<Cloud<Name>> };

/** The one list of clouds: a profile that does not name one never loads it. */
const LOADERS: Loaders = {
  aws: async () => (await import("./aws/index.js")).awsCloud,
  azure: async () => (await import("./azure/index.js")).azureCloud,
  gcp: async () => (await import("./gcp/index.js")).gcpCloud,
};

export function loadCloud<Name extends CloudName>(name: Name): Promise<Cloud<Name>> {
  return LOADERS[name]();
}

/** In the order of CLOUD_NAMES. */
export function namesOf(profile: Profile): CloudName[] {
  return CLOUD_NAMES.filter((name) => profile.clouds[name] !== undefined);
}

export function settingsOf<Name extends CloudName>(profile: Profile, name: Name): NonNullable<Profile["clouds"][Name]> {
  return profile.clouds[name] as NonNullable<Profile["clouds"][Name]>;
}
