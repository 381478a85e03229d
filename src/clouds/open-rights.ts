import { CLOUD_TITLES } from "../core/cloud-titles.js";
import type { EndStep, GrantPlan, LeaseTerms, RightsContext } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { runAllOrNothing } from "./all-or-nothing.js";
import type { Cloud } from "./cloud.js";
import { grantTermsOf } from "./grant-terms.js";
import { loadCloud } from "./loaders.js";

/** The profile to issue with, and the clouds in which rights were given for the lease. */
export interface OpenedProfile {
  readonly profile: Profile;
  readonly clouds: readonly CloudName[];
}

/** Told of each cloud as it happens there. */
export interface RightsListener {
  /** As `RightsContext.onAsking`. */
  onAsking(cloud: CloudName): void;
  /** As `RightsContext.onStep`. */
  onStep(cloud: CloudName, step: EndStep): void;
}

/** What the clouds have in common. */
type SharedContext = Omit<RightsContext, keyof RightsListener>;

/** As `loadCloud` does it. */
type Load = <Name extends CloudName>(name: Name) => Promise<Cloud<Name>>;

/** `openRightsBy` with the clouds that there are. */
export function openRights(
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  terms: LeaseTerms,
  context: SharedContext,
  runtime: Runtime,
  listener: RightsListener,
): Promise<OpenedProfile> {
  return openRightsBy(loadCloud, profile, plans, terms, context, runtime, listener);
}

/**
 * Gives the principals of the plans what their profile names for the time of the lease, side by side, and waits until it
 * works. On the first failure the others are stopped and waited for; what was given is the caller's to end, in each cloud
 * that `listener.onAsking` was called with.
 * @throws {AgentctlError} the worst of what `Cloud.openRights` threw, with the cloud named
 */
export async function openRightsBy(
  load: Load,
  profile: Profile,
  plans: readonly Pick<GrantPlan, "cloud" | "channel">[],
  terms: LeaseTerms,
  context: SharedContext,
  runtime: Runtime,
  listener: RightsListener,
): Promise<OpenedProfile> {
  const parts = plans.map((plan) => ({
    cloud: plan.cloud,
    title: CLOUD_TITLES[plan.cloud],
    run: (signal: AbortSignal) => {
      const own: RightsContext = {
        ...context,
        signal,
        onAsking: () => listener.onAsking(plan.cloud),
        onStep: (step) => listener.onStep(plan.cloud, step),
      };
      return openOne(plan, { load, profile, terms, context: own, runtime });
    },
  }));
  const opened = (await runAllOrNothing(parts, context.signal)).filter((each) => each !== undefined);
  const chosen = Object.fromEntries(opened.map(({ cloud, settings }) => [cloud, settings]));
  return {
    profile: { ...profile, clouds: { ...profile.clouds, ...chosen } },
    clouds: opened.map(({ cloud }) => cloud),
  };
}

interface Opening {
  readonly load: Load;
  readonly profile: Profile;
  readonly terms: LeaseTerms;
  readonly context: RightsContext;
  readonly runtime: Runtime;
}

async function openOne<Name extends CloudName>(
  { cloud: name, channel }: { readonly cloud: Name; readonly channel: GrantPlan["channel"] },
  { load, profile, terms, context, runtime }: Opening,
) {
  const cloud = await load(name);
  const settings = profile.clouds[name] as NonNullable<Profile["clouds"][Name]>;
  if (cloud.openRights === undefined || cloud.hasRights?.(settings) !== true) return undefined;
  const grantTerms = grantTermsOf(terms, profile, channel, runtime.now(), context.mintableUntil);
  return { cloud: name, settings: await cloud.openRights(settings, grantTerms, context, runtime) };
}
