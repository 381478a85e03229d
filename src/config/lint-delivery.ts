import { formatDuration } from "../core/durations.js";
import type { Profile } from "../core/profile.js";
import type { ProfileFinding } from "./problems.js";

/** What Google and Microsoft give a token without being set up for more, or at all. */
const SURE_SECONDS = 3_600;

/** What a profile asks of the way its credentials are delivered that it will not get. */
export function lintDelivery(profile: Profile): readonly ProfileFinding[] {
  return profile.deliver === "env" ? [...findShortTokens(profile), ...findUnusedMetadata(profile)] : [];
}

/** In the environment nothing can be renewed. AWS is not among them: its session is refused or lasts. */
function findShortTokens({ clouds, ttlSeconds }: Profile): readonly ProfileFinding[] {
  if (ttlSeconds <= SURE_SECONDS) return [];
  const ttl = formatDuration(ttlSeconds);
  const found = [
    ...(clouds.azure === undefined ? [] : ["a token of Azure's lasts 60 to 90 minutes"]),
    ...(clouds.gcp === undefined ? [] : [describeGoogle(clouds.gcp.serviceAccount)]),
  ];
  return found.map((lasting) => ({
    path: ["ttl"],
    message: `${lasting}, and with deliver: env it is not renewed within the ${ttl} of the lease`,
    hint: "deliver: auto renews it",
  }));
}

function describeGoogle(serviceAccount: string | undefined): string {
  if (serviceAccount === undefined) return "Google's federated token lasts an hour";
  return "a service account's token lasts an hour, unless the organization's policy lets it live longer";
}

function findUnusedMetadata({ clouds }: Profile): readonly ProfileFinding[] {
  if (clouds.gcp?.metadata !== true) return [];
  return [
    {
      path: ["gcp", "metadata"],
      message: "there is no metadata server with deliver: env",
      hint: "write deliver: auto, or leave metadata out",
    },
  ];
}
