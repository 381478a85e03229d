import type { Identity } from "../core/identity.js";
import type { Runtime } from "../core/runtime.js";
import type { TrustCaller, TrustScope } from "../core/trust.js";
import { acquireFrom, type IdentityRequest, type SourceReport } from "./acquire-identity.js";
import { envSource } from "./env.js";
import { githubActionsSource } from "./github-actions.js";
import { gitlabSource } from "./gitlab.js";
import { type IdentityInspection, type InspectionRequest, inspectFrom } from "./inspect-identity.js";
import { kubernetesSource } from "./kubernetes.js";
import type { IdentitySource } from "./source.js";
import { tokenFileSource } from "./token-file.js";

export type { IdentityRequest, SourceReport } from "./acquire-identity.js";
export type { IdentityInspection, InspectionRequest, SeenToken, TokenFinding } from "./inspect-identity.js";
export { requireSameCaller } from "./same-caller.js";

/**
 * All sources, in the order of detection. What somebody set for agentctl comes before what a platform
 * leaves lying about: who sets `AGENTCTL_ID_TOKEN` in a GitHub Actions job means that token. And a CI job comes
 * before the pod that it may run in.
 */
const SOURCES: readonly IdentitySource[] = [
  envSource,
  tokenFileSource,
  githubActionsSource,
  gitlabSource,
  kubernetesSource,
];

/** What `--identity` takes besides `auto`. */
export const IDENTITY_SOURCE_NAMES: readonly string[] = SOURCES.map((source) => source.name);

/**
 * The caller's identity, with a checked token for each audience already in hand.
 * @throws {AgentctlError} USAGE for an unknown source; NO_IDENTITY, IDENTITY_DENIED, TOKEN_MALFORMED, TOKEN_EXPIRED,
 * TOKEN_AUDIENCE, ENDPOINT_INVALID, UNREACHABLE, THROTTLED, SERVICE_FAILED, BAD_ANSWER
 */
export function acquireIdentity(request: IdentityRequest, runtime: Runtime): Promise<Identity> {
  return acquireFrom(SOURCES, request, runtime);
}

/** What each source sees of itself, in the order of detection. */
export function explainSources(runtime: Runtime): readonly SourceReport[] {
  return SOURCES.map((source) => ({ name: source.name, ...source.detect(runtime) }));
}

/**
 * What the source that would be taken has to show, whatever is wrong with it; a source that mints is asked.
 * @throws {AgentctlError} USAGE for an unknown source; NO_IDENTITY
 */
export function inspectIdentity(request: InspectionRequest, runtime: Runtime): Promise<IdentityInspection> {
  return inspectFrom(SOURCES, request, runtime);
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
