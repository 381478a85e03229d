import type { Ending, Grant, GrantPlan, GrantTerms, IssueContext, LeaseTerms } from "../core/lease.js";
import { CLOUD_NAMES, type CloudName, type Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { type Issuing, issueAllOrNothing } from "./all-or-nothing.js";
import type { Cloud } from "./cloud.js";
import { grantTermsOf } from "./grant-terms.js";
import { untilDeadline } from "./until-deadline.js";

type Loaders = { readonly [Name in CloudName]: () => Promise<Cloud<Name>> };

/** The one list of clouds: a profile that does not name one never loads it. */
const LOADERS: Loaders = {
  aws: async () => (await import("./aws/index.js")).awsCloud,
  azure: async () => (await import("./azure/index.js")).azureCloud,
  gcp: async () => (await import("./gcp/index.js")).gcpCloud,
};
const TITLES: Readonly<Record<CloudName, string>> = { aws: "AWS", azure: "Azure", gcp: "Google Cloud" };

export function loadCloud<Name extends CloudName>(name: Name): Promise<Cloud<Name>> {
  return LOADERS[name]();
}

/**
 * Works out, without asking anybody, what the profile's clouds will be asked for, in the order of CLOUD_NAMES.
 * @throws {AgentctlError} what `Cloud.plan` throws
 */
export async function planGrants(profile: Profile, terms: LeaseTerms, runtime: Runtime): Promise<GrantPlan[]> {
  return Promise.all(namesOf(profile).map((name) => planOne(name, profile, terms, runtime)));
}

/** Loads what the profile's clouds will issue with, while an answer from elsewhere is waited for. */
export function warmClouds(profile: Profile): void {
  // In the next turn of the event loop, so that the question has left before the loading keeps the process busy.
  setImmediate(() => {
    for (const name of namesOf(profile)) {
      const warmed = loadCloud(name).then((cloud) => cloud.warm());
      // What can't be loaded fails again where it is needed, and is told there.
      warmed.catch(() => {});
    }
  });
}

/**
 * Issues the profile's grants as planned, side by side, all or nothing: on the first refusal the others are stopped
 * and what was issued is ended before the error is thrown. Nobody is waited for beyond the lease's deadline.
 * @throws {AgentctlError} the worst of what `Cloud.issue` threw, with the cloud named
 */
export async function issueGrants(
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  terms: LeaseTerms,
  context: IssueContext,
  runtime: Runtime,
): Promise<Grant[]> {
  const issuings = await Promise.all(
    plans.map(({ cloud, channel }) => {
      const grantTerms = grantTermsOf(terms, profile, channel, runtime.now(), context.mintableUntil);
      return issuingOf(cloud, profile, grantTerms, runtime);
    }),
  );
  return untilDeadline(terms, context.signal, runtime, (signal) =>
    issueAllOrNothing(issuings, { ...context, signal }, (grants) => endGrants(grants, runtime)),
  );
}

/** Ends grants side by side, in their order. Never throws for a cloud that could not. */
export async function endGrants(grants: readonly Grant[], runtime: Runtime): Promise<Ending[]> {
  return Promise.all(grants.map(async (grant) => (await loadCloud(grant.cloud)).end(grant, runtime)));
}

function namesOf(profile: Profile): CloudName[] {
  return CLOUD_NAMES.filter((name) => profile.clouds[name] !== undefined);
}

async function planOne<Name extends CloudName>(name: Name, profile: Profile, terms: LeaseTerms, runtime: Runtime) {
  const cloud = await loadCloud(name);
  return cloud.plan(settingsOf(profile, name), grantTermsOf(terms, profile, "env", terms.openedAt), runtime);
}

async function issuingOf<Name extends CloudName>(
  name: Name,
  profile: Profile,
  terms: GrantTerms,
  runtime: Runtime,
): Promise<Issuing> {
  const cloud = await loadCloud(name);
  const settings = settingsOf(profile, name);
  return { cloud: name, title: TITLES[name], issue: (context) => cloud.issue(settings, terms, context, runtime) };
}

function settingsOf<Name extends CloudName>(profile: Profile, name: Name): NonNullable<Profile["clouds"][Name]> {
  return profile.clouds[name] as NonNullable<Profile["clouds"][Name]>;
}
