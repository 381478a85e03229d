import { formatDuration, formatInstant } from "../../core/durations.js";
import type { Facts, GrantPlan, GrantTerms } from "../../core/lease.js";
import type { AwsSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { derivedSessionsOf, planEnding } from "./ending.js";
import { overridesOf, resolveIamEndpoint, resolveStsEndpoint } from "./endpoint.js";
import { fenceOf, type Hop, planHops } from "./hops.js";
import { SESSION_POLICY_LIMIT } from "./policy-budget.js";
import { describeRevoking, revokerOf } from "./revoke/revoker-settings.js";
import { undoOf } from "./revoke/undo.js";
import { sessionNameOf } from "./session-name.js";
import { variableNames } from "./variables.js";

/**
 * Works out what AWS will be asked for, asking nobody and loading no SDK.
 * @throws {AgentctlError} CONFIG_INVALID, ENDPOINT_INVALID, POLICY_INVALID, POLICY_TOO_LONG
 */
export function planAwsGrant(settings: AwsSettings, terms: GrantTerms, runtime: Pick<Runtime, "env">): GrantPlan {
  const endpoint = resolveStsEndpoint(settings, runtime);
  const hops = planHops(settings, terms);
  const role = lastOf(hops).roleArn;
  const revoker = revokerOf(settings, terms);
  const revoking = describeRevoking(revoker, settings, terms, planEnding(settings, terms));
  const iam = revoker === undefined ? undefined : resolveIamEndpoint(role, runtime);
  return {
    cloud: "aws",
    channel: terms.channel,
    principal: role,
    audiences: settings.audiences,
    steps: [...hops.map((hop, index) => describeStep(hop, index, settings, endpoint.region)), ...revoking.steps],
    narrowing: describeNarrowing(settings, lastOf(hops), terms),
    variables: variableNames(settings, terms.channel),
    ending: revoking.ending,
    undo: undoOf(settings, terms, role, endpoint, iam),
    facts: { ...planFacts(settings, hops, endpoint.region, terms), ...revoking.facts },
    endpoints: overridesOf(iam === undefined ? [endpoint] : [endpoint, iam]),
  };
}

function describeStep(hop: Hop, index: number, settings: AwsSettings, region: string): string {
  const lasting = `for ${formatDuration(hop.durationSeconds)}`;
  if (index === 0) {
    return `assume ${hop.roleArn} with the OIDC token (aud ${settings.audiences.join(" or ")}) at STS in ${region}, ${lasting}`;
  }
  const external = hop.externalId === undefined ? "" : " with its external id";
  return `then assume ${hop.roleArn}${external}, ${lasting}`;
}

function describeNarrowing(settings: AwsSettings, last: Hop, terms: GrantTerms): string[] {
  const { sessionPolicy, policyArns, chain } = settings;
  const budget = `${last.budget.used} of ${SESSION_POLICY_LIMIT} characters, fence included`;
  const lines = chain.slice(0, 1).map(() => "each role before the last may only assume the next");
  if (sessionPolicy !== undefined) lines.push(`session policy ${sessionPolicy.origin}: ${budget}`);
  else if (policyArns.length > 0) lines.push(`session policy: the fence alone, beside the policy ARNs: ${budget}`);
  else lines.push(`no narrowing: all that the role may do, within the fence: ${budget}`);
  lines.push(...policyArns.map((arn) => `policy ${arn}`));
  lines.push(`everything is denied ${describeFence(terms)}${forwardedOf(settings)}`);
  lines.push(...derivedOf(settings));
  return lines;
}

function describeFence(terms: GrantTerms): string {
  if (terms.channel === "env") return `after ${formatInstant(fenceOf(terms))}`;
  return `${formatDuration(terms.lifetimeSeconds)} after each session was issued, or when the lease ends`;
}

function forwardedOf(settings: AwsSettings): string {
  return settings.fenceForwarded ? "" : ", but for what AWS does on the session's behalf";
}

function derivedOf(settings: AwsSettings): string[] {
  const made = "making further sessions and tokens, and IAM users, keys and policies, is denied";
  const allowed = settings.allowDerivedSessions;
  if (derivedSessionsOf(settings) === "denied") return [made];
  return typeof allowed === "boolean" ? [] : [`${made}, but for assuming ${allowed.join(", ")}`];
}

function planFacts(settings: AwsSettings, hops: readonly Hop[], region: string, terms: GrantTerms): Facts {
  const last = lastOf(hops);
  const passing = hops.slice(0, -1).map((hop) => `${hop.roleArn}: ${hop.budget.used} used, ${hop.budget.left} left`);
  return {
    sessionName: sessionNameOf(terms),
    stsRegion: region,
    durationSeconds: last.durationSeconds,
    policyCharactersUsed: last.budget.used,
    policyCharactersLeft: last.budget.left,
    fenceCharacters: last.budget.fence,
    derivedSessions: derivedSessionsOf(settings),
    fenceForwarded: settings.fenceForwarded,
    ...(passing.length > 0 && { passingHopPolicyCharacters: passing }),
  };
}

function lastOf(hops: readonly Hop[]): Hop {
  return hops[hops.length - 1] as Hop;
}
