import type { CloudEndpoint, EndpointPlace } from "../core/endpoint.js";
import type { GrantPlan, LeaseTerms } from "../core/lease.js";
import type { CloudName, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import { channelOf, grantTermsOf } from "./grant-terms.js";
import { loadCloud, namesOf, settingsOf } from "./loaders.js";

const RENEWED = "renew the command's credential before it ends, for as long as the lease lasts";

/**
 * Works out, without asking anybody, what the profile's clouds will be asked for, in the order of CLOUD_NAMES.
 * @throws {AgentctlError} what `Cloud.plan` throws
 */
export async function planGrants(profile: Profile, terms: LeaseTerms, runtime: Runtime): Promise<GrantPlan[]> {
  return Promise.all(namesOf(profile).map((name) => planOne(name, profile, terms, runtime)));
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
