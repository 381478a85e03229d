import { CLOUD_TITLES } from "../core/cloud-titles.js";
import type { Grant, GrantPlan, GrantTerms, IssueContext, LeaseTerms } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { type Issuing, issueAllOrNothing } from "./all-or-nothing.js";
import type { Cloud } from "./cloud.js";
import { grantTermsOf } from "./grant-terms.js";
import { loadCloud, namesOf, settingsOf } from "./loaders.js";
import { untilDeadline } from "./until-deadline.js";

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
 * Issues the profile's grants as planned, side by side, all or nothing: on the first refusal the others are stopped.
 * `onIssued` is told of each as it comes, also when another fails: those are the caller's to end. Nobody is waited
 * for beyond the lease's deadline.
 * @throws {AgentctlError} the worst of what `Cloud.issue` and `Cloud.checkEnding` threw, with the cloud named
 */
export async function issueGrants(
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  terms: LeaseTerms,
  context: IssueContext,
  runtime: Runtime,
  onIssued: (grant: Grant) => void = () => {},
): Promise<Grant[]> {
  return issueAll([issuingOf, checkingOf], profile, plans, terms, context, runtime, onIssued);
}

/**
 * Issues one cloud's grant anew, for the endpoint; that it can be taken back was made sure of with the first.
 * @throws {AgentctlError} what `Cloud.issue` threw, with the cloud named
 */
export async function renewGrant(
  cloud: CloudName,
  profile: Profile,
  terms: LeaseTerms,
  context: IssueContext,
  runtime: Runtime,
): Promise<Grant> {
  const plans = [{ cloud, channel: "endpoint" }] as const;
  const [grant] = await issueAll([issuingOf], profile, plans, terms, context, runtime, () => {});
  return grant as Grant;
}

async function issueAll(
  steps: readonly (typeof issuingOf)[],
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  terms: LeaseTerms,
  context: IssueContext,
  runtime: Runtime,
  onIssued: (grant: Grant) => void,
): Promise<Grant[]> {
  const issuings = await Promise.all(
    plans.flatMap(({ cloud, channel }) => {
      const grantTerms = grantTermsOf(terms, profile, channel, runtime.now(), context.mintableUntil);
      return steps.map((step) => step(cloud, profile, grantTerms, runtime));
    }),
  );
  return untilDeadline(terms, context.signal, runtime, (signal) =>
    issueAllOrNothing(issuings, { ...context, signal }, onIssued),
  );
}

function issuingOf<Name extends CloudName>(name: Name, profile: Profile, terms: GrantTerms, runtime: Runtime) {
  return stepOf(name, profile, (cloud, settings, context) => cloud.issue(settings, terms, context, runtime));
}

function checkingOf<Name extends CloudName>(name: Name, profile: Profile, terms: GrantTerms, runtime: Runtime) {
  return stepOf(name, profile, async (cloud, settings, context) => {
    await cloud.checkEnding?.(settings, terms, context, runtime);
    return undefined;
  });
}

async function stepOf<Name extends CloudName>(
  name: Name,
  profile: Profile,
  take: (
    cloud: Cloud<Name>,
    settings: NonNullable<Profile["clouds"][Name]>,
    context: IssueContext,
  ) => Promise<Grant | undefined>,
): Promise<Issuing> {
  const cloud = await loadCloud(name);
  const settings = settingsOf(profile, name);
  return { cloud: name, title: CLOUD_TITLES[name], issue: (context) => take(cloud, settings, context) };
}
