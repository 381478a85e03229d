import { formatInstant } from "../core/durations.js";
import type { Grant, GrantPlan, LeaseTerms } from "../core/lease.js";
import type { ActorKind, Profile } from "../core/profile.js";
import type { Environment, Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import { isCredentialVariable, isMintingVariable } from "../core/sensitive-variables.js";
import { type CleanedEnvironment, cleanEnvironment } from "./clean-environment.js";
import { joinNoProxy } from "./no-proxy.js";
import { makeTombstones, planTombstones, removePrivateDir } from "./tombstones.js";

export interface DeliveryInput {
  readonly profile: Pick<Profile, "name" | "env">;
  readonly terms: Pick<LeaseTerms, "leaseId" | "deadlineAt">;
  readonly plans: readonly Pick<GrantPlan, "variables">[];
  readonly actorKind: ActorKind;
  /** From `--pass-env`: names that the caller wants the child to inherit all the same. */
  readonly passEnv: readonly string[];
  /** The variables that the caller's identity came from. */
  readonly alsoRemove: readonly string[];
  /** Where the lease's private files go; made here, and removed by `remove`. */
  readonly privateDir: string;
}

/** Names only, sorted: what the child would find, and what it would lose. */
export interface DeliveryPreview {
  readonly given: readonly string[];
  readonly removed: readonly string[];
  /** What would have been removed as a credential, an identity or the means to mint one, but was asked for by name. */
  readonly passed: readonly string[];
}

export interface Delivery extends DeliveryPreview {
  /** The child's whole environment, secrets revealed: for `spawn` and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes the private files. False when something is left; never throws; may be called again. */
  readonly remove: () => boolean;
}

/** What `--dry-run` shows; makes nothing. */
export function previewDelivery(input: DeliveryInput, runtime: Pick<Runtime, "env">): DeliveryPreview {
  const granted = input.plans.flatMap((plan) => plan.variables).map((name) => [name, ""] as const);
  const { given, removed, passed } = composeEnvironment(input, Object.fromEntries(granted), runtime.env);
  return { given, removed, passed };
}

/**
 * Makes the child's environment, and the private files that it points to.
 * @throws {AgentctlError} STATE_UNWRITABLE; nothing is left behind then
 */
export function prepareDelivery(
  input: DeliveryInput & { readonly grants: readonly Pick<Grant, "variables">[] },
  runtime: Pick<Runtime, "env" | "fs" | "uid">,
): Delivery {
  const granted = Object.fromEntries(input.grants.flatMap((grant) => Object.entries(grant.variables).map(reveal)));
  const composed = composeEnvironment(input, granted, runtime.env);
  makeTombstones(input.privateDir, planTombstones(input.privateDir), runtime);
  return { ...composed, remove: () => removePrivateDir(input.privateDir, runtime) };
}

/** What stands later wins: neither the profile's `set` nor what was passed can shadow a grant. */
function composeEnvironment(
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

function reveal([name, value]: [string, string | Secret]): [string, string] {
  return [name, value instanceof Secret ? value.reveal() : value];
}
