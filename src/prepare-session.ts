import type { Account } from "./audit/index.js";
import { planGrants } from "./clouds/index.js";
import { loadProfile } from "./config/index.js";
import { toAgentctlError } from "./core/errors.js";
import type { LeaseTerms } from "./core/lease.js";
import type { Prepared } from "./core/prepared.js";
import type { Profile } from "./core/profile.js";
import type { RunRequest } from "./core/run-request.js";
import type { Runtime } from "./core/runtime.js";
import { explainNesting } from "./core/surrounding-lease.js";
import { acquireIdentity } from "./identity/index.js";
import { setTerms } from "./lease/index.js";
import { decide, detectActor } from "./policy/index.js";
import { programLookup, searchPathOf } from "./renewal-session.js";
import { resolveCommand } from "./run/index.js";

/** Profile → terms → plan → command → identity → decision; each is on the account as soon as it is known. */
export async function prepare(
  request: RunRequest,
  account: Account,
  runtime: Runtime,
  beforeIdentity: (profile: Profile, terms: LeaseTerms) => void = () => {},
): Promise<Prepared> {
  const profile = loadProfile(request, runtime);
  account.profile = profile;
  const actor = detectActor(request.actor, runtime);
  account.actor = actor;
  const terms = setTerms(profile, request, runtime);
  account.terms = terms;
  const plans = await planGrants(profile, terms, runtime);
  account.plans = plans;
  const command = resolveCommand(request.argv, searchPathOf(profile, runtime), runtime);
  account.command = command;
  beforeIdentity(profile, terms);
  const identity = await acquireIdentity(
    { source: request.identitySource ?? profile.identitySource, audiences: plans },
    runtime,
  ).catch((thrown: unknown) => {
    throw explainNesting(toAgentctlError(thrown), runtime.env, wayOut);
  });
  account.identity = identity;
  const decision = decide({ profile, actor, identity, command, resolve: programLookup(profile, runtime) }, runtime);
  account.decision = decision;
  return { profile, terms, plans, command, identity, decision };
}

function wayOut(profileName: string): string {
  return `start the tool without agentctl run, as ${profileName}, or start this outside of it`;
}
