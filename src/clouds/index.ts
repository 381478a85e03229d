import type { CloudEndpoint, EndpointPlace } from "../core/endpoint.js";
import type {
  EndContext,
  Ending,
  EndOrder,
  Grant,
  GrantPlan,
  GrantTerms,
  IssueContext,
  LeaseTerms,
  RightsContext,
} from "../core/lease.js";
import { CLOUD_NAMES, type CloudName, type Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import { type Issuing, issueAllOrNothing } from "./all-or-nothing.js";
import type { Cloud, CloudSweep } from "./cloud.js";
import { channelOf, grantTermsOf } from "./grant-terms.js";
import { type OpenedProfile, openRightsBy } from "./open-rights.js";
import { TITLES } from "./titles.js";
import { untilDeadline } from "./until-deadline.js";

export type { CloudSweep } from "./cloud.js";
export { orderOf, orderOfPlan } from "./end-order.js";
export type { OpenedProfile } from "./open-rights.js";
export { trustAudiencesOf, writeTrust } from "./setup.js";

type Loaders = { readonly [Name in CloudName]: () => Promise<Cloud<Name>> };

/** The one list of clouds: a profile that does not name one never loads it. */
const LOADERS: Loaders = {
  aws: async () => (await import("./aws/index.js")).awsCloud,
  azure: async () => (await import("./azure/index.js")).azureCloud,
  gcp: async () => (await import("./gcp/index.js")).gcpCloud,
};

const RENEWED = "the same again ahead of its end, for as long as the lease lasts";

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

/** Whether any of the profile's clouds gives rights for the time of a lease. */
export async function hasRights(profile: Profile): Promise<boolean> {
  const found = await Promise.all(namesOf(profile).map((name) => hasRightsOf(name, profile)));
  return found.includes(true);
}

/**
 * Gives the principals, for the time of the lease, the rights that their profile names, and waits until they work.
 * `onAsking` is called with each cloud before its first write: what was given there is the caller's to end.
 * @throws {AgentctlError} what `Cloud.openRights` throws
 */
export function openRights(
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  terms: LeaseTerms,
  context: Omit<RightsContext, "onAsking">,
  runtime: Runtime,
  onAsking: (cloud: CloudName) => void,
): Promise<OpenedProfile> {
  return openRightsBy(loadCloud, profile, plans, terms, context, runtime, onAsking);
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

/** How the tools of those clouds whose grants go by the endpoint read them, in the order of the plans. */
export async function loadEndpoints(
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  runtime: Pick<Runtime, "now">,
): Promise<CloudEndpoint[]> {
  const served = plans.filter(({ channel }) => channel === "endpoint");
  return Promise.all(served.map(({ cloud }) => serveOne(cloud, profile, runtime)));
}

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

/** Ends grants side by side, in their order. Never throws for a cloud that could not. */
export async function endGrants(orders: readonly EndOrder[], context: EndContext, runtime: Runtime): Promise<Ending[]> {
  return Promise.all(orders.map(async (order) => (await loadCloud(order.cloud)).end(order, context, runtime)));
}

/**
 * Removes what endings left in the profile's clouds and nobody needs any longer; of those clouds where there can be such
 * and the profile names who removes it.
 * @throws {AgentctlError} what `Cloud.sweep` throws
 */
export async function sweepClouds(
  profile: Profile,
  mintFor: (cloud: CloudName) => EndContext["mintToken"],
  signal: AbortSignal,
  runtime: Runtime,
): Promise<CloudSweep[]> {
  const sweeps = await Promise.all(
    namesOf(profile).map((name) => sweepOne(name, profile, { mintToken: mintFor(name), signal }, runtime)),
  );
  return sweeps.filter((sweep) => sweep !== undefined);
}

function namesOf(profile: Profile): CloudName[] {
  return CLOUD_NAMES.filter((name) => profile.clouds[name] !== undefined);
}

async function hasRightsOf<Name extends CloudName>(name: Name, profile: Profile): Promise<boolean> {
  return (await loadCloud(name)).hasRights?.(settingsOf(profile, name)) === true;
}

async function serviceUrlOf<Name extends CloudName>(name: Name, profile: Profile, runtime: Pick<Runtime, "env">) {
  const cloud = await loadCloud(name);
  return { cloud: name, url: cloud.serviceUrl(settingsOf(profile, name), runtime) };
}

async function planOne<Name extends CloudName>(
  name: Name,
  profile: Profile,
  terms: LeaseTerms,
  runtime: Runtime,
): Promise<GrantPlan> {
  const cloud = await loadCloud(name);
  const settings = settingsOf(profile, name);
  const channel = channelOf(cloud, settings, terms);
  const plan = cloud.plan(settings, grantTermsOf(terms, profile, channel, terms.openedAt), runtime);
  if (channel === "env") return plan;
  const endpoint = await cloud.serve(settings, runtime);
  return { ...plan, steps: [...plan.steps, RENEWED], variables: [...plan.variables, ...variablesOf(endpoint)] };
}

/** The names do not depend on where the endpoint will be. */
function variablesOf(endpoint: CloudEndpoint): string[] {
  const nowhere: EndpointPlace = { url: "http://127.0.0.1:0", secret: new Secret(""), dir: "" };
  return [
    ...Object.keys(endpoint.variables(nowhere)),
    ...Object.keys(endpoint.metadata?.variables("127.0.0.1:0") ?? {}),
  ];
}

async function sweepOne<Name extends CloudName>(
  name: Name,
  profile: Profile,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
): Promise<CloudSweep | undefined> {
  return (await loadCloud(name)).sweep?.(settingsOf(profile, name), context, runtime);
}

async function serveOne<Name extends CloudName>(
  name: Name,
  profile: Profile,
  runtime: Pick<Runtime, "now">,
): Promise<CloudEndpoint> {
  return (await loadCloud(name)).serve(settingsOf(profile, name), runtime);
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
  return { cloud: name, title: TITLES[name], issue: (context) => take(cloud, settings, context) };
}

function settingsOf<Name extends CloudName>(profile: Profile, name: Name): NonNullable<Profile["clouds"][Name]> {
  return profile.clouds[name] as NonNullable<Profile["clouds"][Name]>;
}
