import type { HappeningRecorder } from "./audit/index.js";
import { renewGrant } from "./clouds/index.js";
import type { Identity } from "./core/identity.js";
import type { Grant, IssueContext } from "./core/lease.js";
import type { Prepared } from "./core/prepared.js";
import type { CloudName, Profile } from "./core/profile.js";
import type { Runtime } from "./core/runtime.js";
import { acquireIdentity, requireSameCaller } from "./identity/index.js";
import { type KeptGrants, keepGrants } from "./lease/index.js";
import { decide } from "./policy/index.js";
import { findOnPath } from "./run/index.js";

/**
 * Issues anew, ahead of its end and on record, what goes by the endpoint, for as long as the lease is open. `onNewest`
 * is given all of the lease's grants each time one of them is a new one.
 */
export function keepRenewed(
  grants: readonly Grant[],
  prepared: Prepared,
  recorder: HappeningRecorder,
  runtime: Runtime,
  onNewest: (grants: readonly Grant[]) => void,
): KeptGrants {
  const renewedBy = new Map<CloudName, Identity>();
  const kept = keepGrants(
    {
      grants,
      terms: prepared.terms,
      ...mintableOf(prepared.identity),
      renew: async (cloud, signal) => {
        const { grant, identity } = await renew(cloud, prepared, signal, runtime);
        renewedBy.set(cloud, identity);
        return grant;
      },
      onRenewed: (grant) => {
        onNewest(kept.grants);
        recorder.renewed(grant, renewedBy.get(grant.cloud));
      },
      onFailed: recorder.renewalFailed,
      onRecovered: recorder.recovered,
    },
    runtime,
  );
  return kept;
}

/** The whole flow again for one cloud: a fresh proof, of the same caller, that is judged anew. */
async function renew(
  cloud: CloudName,
  { profile, terms, plans, command, decision, identity: first }: Prepared,
  signal: AbortSignal,
  runtime: Runtime,
): Promise<{ readonly grant: Grant; readonly identity: Identity }> {
  const audiences = plans.filter((plan) => plan.cloud === cloud);
  const identity = await acquireIdentity({ source: first.source, audiences, signal }, runtime);
  requireSameCaller(first, identity);
  decide({ profile, actor: decision.actor, identity, command, resolve: programLookup(profile, runtime) }, runtime);
  return { identity, grant: await renewGrant(cloud, profile, terms, issueContext(identity, signal), runtime) };
}

/** What a cloud is asked with, for this identity. */
export function issueContext(identity: Identity, signal: AbortSignal): IssueContext {
  return { mintToken: identity.mintToken, signal, ...mintableOf(identity) };
}

function mintableOf({ mintableUntil }: Identity): { readonly mintableUntil?: number } {
  return mintableUntil === undefined ? {} : { mintableUntil };
}

/** The PATH that the command is looked up on, and will have. */
export function searchPathOf(profile: Profile, { env }: Runtime): string {
  return profile.env.set["PATH"] ?? env["PATH"] ?? "";
}

/** Looks a program up where the command is. */
export function programLookup(profile: Profile, runtime: Runtime): (name: string) => string | undefined {
  return (name) => findOnPath(name, searchPathOf(profile, runtime), runtime);
}
