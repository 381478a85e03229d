import { planGrants } from "./clouds/index.js";
import { findConfig, loadProfile } from "./config/index.js";
import { type AgentctlError, toAgentctlError } from "./core/errors.js";
import type { Actor } from "./core/identity.js";
import type { GrantPlan } from "./core/lease.js";
import type { EnvMode, Profile } from "./core/profile.js";
import type { Runtime } from "./core/runtime.js";
import {
  explainSources,
  type IdentityInspection,
  inspectIdentity,
  type LoginSummary,
  listLogins,
} from "./identity/index.js";
import { setTerms } from "./lease/index.js";
import { detectActor, permitActor } from "./policy/index.js";

export interface WhoamiRequest {
  readonly profileName?: string;
  readonly configPath?: string;
  readonly identitySource?: string;
  /** Besides those of the profile's clouds. */
  readonly audience?: string;
  /** `KIND[:NAME]`, as declared. */
  readonly actor?: string;
}

/** One source, and why it was taken or not. */
export interface LookedAt {
  readonly source: string;
  readonly found: boolean;
  readonly taken: boolean;
  readonly reason: string;
  readonly hint?: string;
}

export interface WhoamiReport {
  readonly sources: readonly LookedAt[];
  readonly logins: readonly LoginSummary[];
  readonly identity?: IdentityInspection;
  readonly actor: Actor;
  readonly profile?: ProfileView;
  /** Why there is no identity, or none that does. */
  readonly error?: AgentctlError;
}

/** What a profile makes of this caller. */
export interface ProfileView {
  readonly name: string;
  readonly permitted: boolean;
  readonly reason: string;
  readonly envMode: EnvMode;
}

/**
 * Looks at everything that says who the caller is, and asks no cloud.
 * @throws {AgentctlError} what loadProfile and planGrants throw; CONFIG_NOT_FOUND for a file that was named; USAGE for an unknown source or actor
 */
export async function lookAtCaller(request: WhoamiRequest, runtime: Runtime): Promise<WhoamiReport> {
  const actor = detectActor(request.actor, runtime);
  const profile = request.profileName === undefined ? undefined : loadProfile(request, runtime);
  // Without a profile the file is not read, but one that was named and is not there is a slip to be told of.
  if (profile === undefined && request.configPath !== undefined) findConfig(request, runtime);
  const plans = profile === undefined ? [] : await planOf(profile, runtime);
  const wanted = request.identitySource ?? profile?.identitySource ?? "auto";
  const always = { actor, logins: listLogins(runtime), ...(profile && { profile: viewOf(profile, actor) }) };
  try {
    const audiences = [...plans, ...(request.audience === undefined ? [] : [{ audiences: [request.audience] }])];
    const identity = await inspectIdentity({ source: wanted, audiences }, runtime);
    const error = problemOf(identity);
    const sources = lookAtSources(identity.source, wanted, runtime);
    return { ...always, sources, identity, ...(error && { error }) };
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    if (error.code !== "NO_IDENTITY") throw error;
    return { ...always, sources: lookAtSources(undefined, wanted, runtime), error };
  }
}

async function planOf(profile: Profile, runtime: Runtime): Promise<readonly GrantPlan[]> {
  return planGrants(profile, setTerms(profile, { argv: ["agentctl", "whoami"], passEnv: [] }, runtime), runtime);
}

/** What was wanted has to do, each; of what lies about, one. */
function problemOf({ tokens }: IdentityInspection): AgentctlError | undefined {
  const problems = tokens.flatMap(({ problem }) => problem ?? []);
  const isWanted = tokens.some(({ wanted }) => wanted !== undefined);
  return isWanted || problems.length === tokens.length ? problems[0] : undefined;
}

function lookAtSources(taken: string | undefined, wanted: string, runtime: Runtime): readonly LookedAt[] {
  return explainSources(runtime, wanted).map(({ name, found, reason, hint }) => {
    const isTaken = name === taken;
    const why = !found || isTaken ? reason : `${reason}, but ${wanted === "auto" ? taken : `only ${wanted}`} is taken`;
    return { source: name, found, taken: isTaken, reason: why, ...(hint !== undefined && !found && { hint }) };
  });
}

function viewOf(profile: Profile, actor: Actor): ProfileView {
  const envMode = profile.env.mode ?? (actor.kind === "agent" ? "strict" : "cloud");
  try {
    return { name: profile.name, permitted: true, reason: permitActor(profile, actor), envMode };
  } catch (thrown) {
    return { name: profile.name, permitted: false, reason: toAgentctlError(thrown).message, envMode };
  }
}
