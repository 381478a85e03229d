import path from "node:path";
import { formatInstant } from "../core/durations.js";
import type { GrantPlan, LeaseTerms } from "../core/lease.js";
import type { ActorKind, Profile } from "../core/profile.js";
import type { Environment } from "../core/runtime.js";
import { isCredentialVariable, isMintingVariable } from "../core/sensitive-variables.js";
import { type CleanedEnvironment, cleanEnvironment } from "./clean-environment.js";
import { joinNoProxy } from "./no-proxy.js";
import { planTombstones } from "./tombstones.js";

export interface DeliveryInput {
  readonly profile: Pick<Profile, "name" | "env" | "peerCheck">;
  readonly terms: Pick<LeaseTerms, "leaseId" | "deadlineAt">;
  readonly plans: readonly Pick<GrantPlan, "variables">[];
  readonly actorKind: ActorKind;
  /** From `--pass-env`: names that the caller wants the child to inherit all the same. */
  readonly passEnv: readonly string[];
  /** The variables that the caller's identity came from. */
  readonly alsoRemove: readonly string[];
  /** Where the lease's private files go; made when the delivery is prepared, and removed with it. */
  readonly privateDir: string;
}

/** Names only, sorted: what the child would find, and what it would lose. */
export interface DeliveryPreview {
  readonly given: readonly string[];
  readonly removed: readonly string[];
  /** What would have been removed as a credential, an identity or the means to mint one, but was asked for by name. */
  readonly passed: readonly string[];
}

/** What stands later wins: neither the profile's `set` nor what was passed can shadow a grant. */
export function composeEnvironment(
  input: DeliveryInput,
  granted: Readonly<Record<string, string>>,
  parent: Environment,
): CleanedEnvironment & DeliveryPreview {
  const { profile, terms } = input;
  const pass = [...profile.env.pass, ...input.passEnv];
  const mode = profile.env.mode ?? (input.actorKind === "agent" ? "strict" : "cloud");
  const { set } = profile.env;
  const cleaned = cleanEnvironment(parent, { mode, pass, set, alsoRemove: input.alsoRemove });
  const added = {
    ...set,
    ...joinNoProxy(cleaned.env),
    ...("IDENTITY_ENDPOINT" in granted ? keepExtensions(parent) : {}),
    ...withoutPassed(planTombstones(input.privateDir).variables, pass, parent),
    ...granted,
    AGENTCTL_LEASE_ID: terms.leaseId,
    AGENTCTL_PROFILE: profile.name,
    AGENTCTL_EXPIRES_AT: formatInstant(terms.deadlineAt),
  };
  const env: Record<string, string> = { ...cleaned.env, ...added };
  return {
    env,
    given: Object.keys(added).sort(),
    removed: cleaned.removed.filter((name) => env[name] !== parent[name]),
    passed: pass.filter((name) => parent[name] !== undefined && isSensitive(name, input.alsoRemove)).sort(),
  };
}

/** The extensions of an `az` that is signed in lie where its private directory is not. They are code, and no login. */
function keepExtensions(parent: Environment): Record<string, string> {
  const { AZURE_EXTENSION_DIR: named, AZURE_CONFIG_DIR: config, HOME: home } = parent;
  const own = config ?? (home === undefined ? undefined : path.join(home, ".azure"));
  const dir = named ?? (own === undefined ? undefined : path.join(own, "cliextensions"));
  return dir === undefined ? {} : { AZURE_EXTENSION_DIR: dir };
}

function isSensitive(name: string, alsoRemove: readonly string[]): boolean {
  return isCredentialVariable(name) || isMintingVariable(name) || alsoRemove.includes(name);
}

/** A variable that the caller passes on purpose keeps the caller's value. */
function withoutPassed(
  variables: Readonly<Record<string, string>>,
  pass: readonly string[],
  parent: Environment,
): Record<string, string> {
  const isPassed = (name: string): boolean => pass.includes(name) && parent[name] !== undefined;
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !isPassed(name)));
}
