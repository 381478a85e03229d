import { AgentctlError } from "../core/errors.js";
import { CLOUD_NAMES, type CloudName, type Profile } from "../core/profile.js";
import type { TrustDocument, TrustFormat, TrustScope, TrustWriter } from "../core/trust.js";

type Writers = { readonly [Name in CloudName]: () => Promise<TrustWriter<Name>> };

/** A cloud's writer is loaded only when its trust is asked for. */
const WRITERS: Writers = {
  aws: async () => (await import("./aws/setup/index.js")).awsTrust,
  azure: async () => (await import("./azure/setup/index.js")).azureTrust,
  gcp: async () => (await import("./gcp/setup/index.js")).gcpTrust,
};

/**
 * What the caller's token for this cloud may be for.
 * @throws {AgentctlError} CONFIG_INVALID when the profile has no block for the cloud
 */
export async function trustAudiencesOf<Name extends CloudName>(
  cloud: Name,
  profile: Profile,
): Promise<readonly string[]> {
  return (await WRITERS[cloud]()).audiencesOf(settingsOf(cloud, profile));
}

/**
 * Writes one cloud's side of the trust that a profile needs, asking nobody.
 * @throws {AgentctlError} TRUST_TOO_WIDE, CONFIG_INVALID, POLICY_INVALID
 */
export async function writeTrust<Name extends CloudName>(
  cloud: Name,
  profile: Profile,
  scope: TrustScope,
  format: TrustFormat<Name>,
): Promise<TrustDocument> {
  const { name: profileName, ttlSeconds } = profile;
  const settings = settingsOf(cloud, profile);
  return (await WRITERS[cloud]()).write({ profileName, ttlSeconds, settings, scope, format });
}

function settingsOf<Name extends CloudName>(cloud: Name, profile: Profile): NonNullable<Profile["clouds"][Name]> {
  const settings = profile.clouds[cloud];
  if (settings !== undefined) return settings as NonNullable<Profile["clouds"][Name]>;
  const blocks = CLOUD_NAMES.filter((name) => profile.clouds[name] !== undefined);
  throw new AgentctlError("CONFIG_INVALID", `the profile ${profile.name} has no ${cloud} block`, {
    hint: blocks.length === 0 ? `add one to ${profile.file}` : `it has ${blocks.join(", ")}`,
  });
}
