import type { Identity } from "../core/identity.js";
import type { Runtime } from "../core/runtime.js";
import type { TrustCaller, TrustScope } from "../core/trust.js";
import { acquireFrom, findSource, type IdentityRequest, type SourceReport } from "./acquire-identity.js";
import { envSource } from "./env.js";
import { githubActionsSource } from "./github-actions.js";
import { gitlabSource } from "./gitlab.js";
import { type IdentityInspection, type InspectionRequest, inspectFrom } from "./inspect-identity.js";
import { kubernetesSource } from "./kubernetes.js";
import { type LoginSummary, listLoginSummaries } from "./login/list-logins.js";
import type { LogoutReport } from "./login/log-out.js";
import type { LoginRequest } from "./login/plan-login.js";
import type { Tell } from "./login/tell.js";
import { LOGIN_SOURCE, loginSource } from "./login.js";
import type { IdentitySource } from "./source.js";
import { tokenFileSource } from "./token-file.js";

export type { IdentityRequest, SourceReport } from "./acquire-identity.js";
export type { IdentityInspection, InspectionRequest, SeenToken, TokenFinding } from "./inspect-identity.js";
export type { LoginSummary } from "./login/list-logins.js";
export type { LogoutReport } from "./login/log-out.js";
export type { StoreKind } from "./login/login-record.js";
export type { LoginRequest } from "./login/plan-login.js";
export { requireSameCaller } from "./same-caller.js";

/**
 * The sources that are the same for everybody, in the order of detection. What somebody set for agentctl comes before what a platform
 * leaves lying about: who sets `AGENTCTL_ID_TOKEN` in a GitHub Actions job means that token. And a CI job comes
 * before the pod that it may run in. A login comes after all of them: it is a person's, who may be working on any machine.
 */
const SOURCES: readonly IdentitySource[] = [
  envSource,
  tokenFileSource,
  githubActionsSource,
  gitlabSource,
  kubernetesSource,
];

/** What `--identity` takes besides `auto`. */
export const IDENTITY_SOURCE_NAMES: readonly string[] = [...SOURCES.map((source) => source.name), LOGIN_SOURCE];

/** All sources; which login is meant depends on the user, and on what was asked for. */
function allSources(wanted: string, runtime: Runtime): readonly IdentitySource[] {
  return [...SOURCES, loginSource(wanted, runtime)];
}

/**
 * The caller's identity, with a checked token for each audience already in hand.
 * @throws {AgentctlError} USAGE for an unknown source; NO_IDENTITY, IDENTITY_DENIED, TOKEN_MALFORMED, TOKEN_EXPIRED,
 * TOKEN_AUDIENCE, ENDPOINT_INVALID, UNREACHABLE, THROTTLED, SERVICE_FAILED, BAD_ANSWER
 */
export function acquireIdentity(request: IdentityRequest, runtime: Runtime): Promise<Identity> {
  return acquireFrom(allSources(request.source, runtime), request, runtime);
}

/** For a name that may not be needed. @throws {AgentctlError} USAGE for an unknown source */
export function requireKnownSource(name: string, runtime: Runtime): void {
  if (name !== "auto") findSource(allSources(name, runtime), name);
}

/** What each source sees of itself, in the order of detection; `wanted` is what was asked for, such as `login:NAME`. */
export function explainSources(runtime: Runtime, wanted = "auto"): readonly SourceReport[] {
  return allSources(wanted, runtime).map((source) => ({ name: source.name, ...source.detect(runtime) }));
}

/**
 * What the source that would be taken has to show, whatever is wrong with it; a source that mints is asked.
 * @throws {AgentctlError} USAGE for an unknown source; NO_IDENTITY
 */
export function inspectIdentity(request: InspectionRequest, runtime: Runtime): Promise<IdentityInspection> {
  return inspectFrom(allSources(request.source, runtime), request, runtime);
}

/** The names, sorted, of the variables that hold the caller's token or let a process mint it: not for the child. */
export function tokenVariables(runtime: Runtime): string[] {
  const names = SOURCES.flatMap((source) => source.variables(runtime.env));
  return names.filter((name) => runtime.env[name] !== undefined).sort();
}

/**
 * How a cloud's trust in the caller is to be narrowed; loaded when it is asked for.
 * @throws {AgentctlError} TRUST_TOO_WIDE, CONFIG_INVALID
 */
export async function scopeTrust(caller: TrustCaller, pins: readonly string[]): Promise<TrustScope> {
  return (await import("./trust-claims.js")).scopeTrust(caller, pins);
}

/** The logins that there are, by name; no secret is looked at. */
export function listLogins(runtime: Runtime): readonly LoginSummary[] {
  return listLoginSummaries(runtime);
}

/**
 * Logs in at an OpenID provider, by the browser or by device code; `tell` is given what the user has to know meanwhile.
 * @throws {AgentctlError} USAGE, CONFIG_INVALID, ENDPOINT_INVALID, LOCK_HELD, KEYCHAIN_UNUSABLE, STATE_UNWRITABLE,
 *   IDENTITY_DENIED, TOKEN_EXPIRED, BAD_ANSWER, UNREACHABLE, THROTTLED, SERVICE_FAILED
 */
export async function logIn(request: LoginRequest, tell: Tell, runtime: Runtime): Promise<LoginSummary> {
  const { name } = await (await import("./login/log-in.js")).logIn(request, tell, runtime);
  return listLogins(runtime).find((login) => login.name === name) as LoginSummary;
}

/**
 * Takes back and deletes the login of this name; without one the default, or with `all` every one, one after the other.
 * @throws {AgentctlError} USAGE when there is no such login; LOCK_HELD, STATE_UNWRITABLE
 */
export async function logOut(
  wanted: { readonly name?: string; readonly all: boolean },
  runtime: Runtime,
): Promise<readonly LogoutReport[]> {
  return (await import("./login/log-out.js")).logOutAll(wanted, runtime);
}

/** Whether `agentctl login` could reach a keychain here; the keychain itself is not asked, since it might ask the user. */
export async function probeKeychain(
  runtime: Pick<Runtime, "platform">,
): Promise<{ readonly usable: boolean; readonly reason: string }> {
  return (await import("./login/keychain.js")).probeKeychain(runtime);
}
