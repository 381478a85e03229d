import { CLOUD_TITLES } from "../core/cloud-titles.js";
import { AgentctlError } from "../core/errors.js";
import type { IssueContext, LeaseTerms } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { channelOf, grantTermsOf } from "./grant-terms.js";
import { loadCloud, settingsOf } from "./loaders.js";
import { type RightsSights, sightsOf } from "./rights-sight.js";
import { withinTime } from "./within-time.js";

/** All that is looked at in one cloud. */
const LOOK_MS = 30_000;

/**
 * Looks, as whoever would give them, whether what the profile names for the time of a lease could be given in one cloud;
 * writes nothing anywhere. Nothing where nothing is given.
 * @throws {AgentctlError} INTERRUPTED, and nothing else
 */
export async function lookAtRights<Name extends CloudName>(
  name: Name,
  profile: Profile,
  terms: LeaseTerms,
  context: IssueContext,
  runtime: Runtime,
): Promise<RightsSights> {
  const cloud = await loadCloud(name);
  const settings = settingsOf(profile, name);
  const look = cloud.lookAtRights?.bind(cloud);
  if (look === undefined || cloud.hasRights?.(settings) !== true) return [];
  const channel = channelOf(cloud, settings, terms);
  const grantTerms = grantTermsOf(terms, profile, channel, terms.openedAt, context.mintableUntil);
  const title = CLOUD_TITLES[name];
  const late = new AgentctlError("UNREACHABLE", `${title} had not answered all questions within ${LOOK_MS / 1000}s`);
  return sightsOf("what is given for the time of a lease", () =>
    withinTime(LOOK_MS, context.signal, (signal) => look(settings, grantTerms, { ...context, signal }, runtime), late),
  );
}
