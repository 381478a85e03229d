import type { GrantTerms, LeaseTerms } from "../core/lease.js";
import type { Channel, CloudName, CloudSettings, Profile } from "../core/profile.js";
import { renewalDueAt } from "../core/renewal-time.js";
import type { Cloud } from "./cloud.js";

/** What every cloud gives without having been set up for more. */
const SURE_LIFETIME_MS = 3_600_000;

/**
 * The terms of a grant that is asked for at `askedAt`: in the environment it lasts as long as the lease; over the
 * endpoint its profile's `credential_ttl`, unless the identity cannot be minted again when it would have to be
 * renewed: then as long as it can.
 */
export function grantTermsOf(
  lease: LeaseTerms,
  profile: Pick<Profile, "credentialTtlSeconds" | "revoke">,
  channel: Channel,
  askedAt: number,
  mintableUntil = Number.POSITIVE_INFINITY,
): GrantTerms {
  const { leaseId, profileName, deadlineAt, latestDeadlineAt, ttlSeconds } = lease;
  const common = { leaseId, profileName, channel, revoke: profile.revoke, latestEndsAt: latestDeadlineAt };
  if (channel === "env") return { ...common, endsAt: deadlineAt, lifetimeSeconds: ttlSeconds };
  const renewed = askedAt + profile.credentialTtlSeconds * 1000;
  const isRenewable = renewalDueAt({ issuedAt: askedAt, usableUntil: renewed }) < mintableUntil;
  const endsAt = Math.min(isRenewable ? renewed : Math.max(renewed, askedAt + SURE_LIFETIME_MS), deadlineAt);
  const lifetimeSeconds = Math.max(1, Math.ceil((endsAt - askedAt) / 1000));
  return { ...common, endsAt, lifetimeSeconds };
}

/** The channel of one cloud's grant: as asked for, or what suits the cloud best. */
export function channelOf<Name extends CloudName>(
  cloud: Pick<Cloud<Name>, "autoChannel">,
  settings: NonNullable<CloudSettings[Name]>,
  terms: Pick<LeaseTerms, "deliver" | "ttlSeconds">,
): Channel {
  return terms.deliver === "auto" ? cloud.autoChannel(settings, terms) : terms.deliver;
}
