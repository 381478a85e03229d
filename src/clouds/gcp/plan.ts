import { formatDuration } from "../../core/durations.js";
import { AgentctlError } from "../../core/errors.js";
import type { GrantPlan, GrantTerms } from "../../core/lease.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { lifetimeKey } from "../lifetime-key.js";
import { type Endpoints, overridesOf, resolveEndpoints } from "./endpoints.js";
import { principalOf, tokenAudiencesOf } from "./provider.js";
import { describeRights } from "./rights/describe.js";
import { rightsOf } from "./rights/rights.js";
import { variableNames } from "./variables.js";

/** A service account's token lasts an hour, or what the organization's policy allows, up to half a day. */
export const USUAL_LIFETIME_SECONDS = 3_600;
const LONGEST_LIFETIME_SECONDS = 43_200;

/**
 * Works out what Google will be asked for, asking nobody and loading no SDK.
 * @throws {AgentctlError} CONFIG_INVALID, ENDPOINT_INVALID
 */
export function planGcpGrant(settings: GcpSettings, terms: GrantTerms, runtime: Pick<Runtime, "env">): GrantPlan {
  const endpoints = resolveEndpoints(runtime);
  checkLifetime(settings, terms);
  const byTime = { word: "expires", detail: describeEnding(settings, terms) } as const;
  const rights = rightsOf(settings);
  const given = rights && describeRights(rights, settings, terms, byTime, runtime);
  return {
    cloud: "gcp",
    channel: terms.channel,
    principal: principalOf(settings),
    audiences: tokenAudiencesOf(settings),
    steps: [...(given?.steps ?? []), ...describeSteps(settings, terms, endpoints, given !== undefined)],
    narrowing: [...(given?.narrowing ?? []), ...describeNarrowing(settings)],
    variables: variableNames(settings, terms.channel),
    ending: given?.ending ?? byTime,
    facts: {
      ...(settings.serviceAccount !== undefined && { lifetimeSeconds: terms.lifetimeSeconds }),
      scopes: settings.scopes,
      boundaryRules: settings.accessBoundary.length,
      ...given?.facts,
    },
    undo: given?.undo ?? {},
    endpoints: [...overridesOf(settings, endpoints), ...(given?.endpoints ?? [])],
  };
}

function describeSteps(
  settings: GcpSettings,
  terms: GrantTerms,
  { sts, iamCredentials }: Endpoints,
  isAfterRights: boolean,
): string[] {
  const { workloadIdentityProvider, serviceAccount, accessBoundary } = settings;
  const at = (baseUrl: string) => new URL(baseUrl).host;
  const steps = [
    `${isAfterRights ? "then, for the command, " : ""}trade the OIDC token (aud ${tokenAudiencesOf(settings).join(" or ")}) for a federated one of ${workloadIdentityProvider} at ${at(sts.baseUrl)}`,
  ];
  if (serviceAccount !== undefined) {
    const lasting = `for what is left of ${formatDuration(terms.lifetimeSeconds)}`;
    steps.push(`then impersonate ${serviceAccount} at ${at(iamCredentials.baseUrl)}, ${lasting}`);
  }
  if (accessBoundary.length > 0) steps.push(`then trade that for one within the access boundary at ${at(sts.baseUrl)}`);
  return steps;
}

function describeNarrowing(settings: GcpSettings): string[] {
  const lines = settings.accessBoundary.map(({ availableResource, availablePermissions, availabilityCondition }) => {
    const when = availabilityCondition === undefined ? "" : ` when ${availabilityCondition.expression}`;
    return `only ${availablePermissions.join(", ")} on ${availableResource}${when}`;
  });
  const scopes = `scopes ${settings.scopes.join(" ")}`;
  return lines.length > 0 ? [...lines, scopes] : [`no narrowing: all that the principal may do within ${scopes}`];
}

function describeEnding({ serviceAccount }: GcpSettings, { channel, lifetimeSeconds }: GrantTerms): string {
  if (serviceAccount === undefined) {
    return "Google cannot take the token back: a federated one ends when Google says, usually within the hour";
  }
  if (channel === "env") {
    return "Google cannot take the token back: it is asked for until the deadline, and can be used until then";
  }
  const lasting = `${formatDuration(lifetimeSeconds)} at a time, and never beyond the deadline`;
  return `Google cannot take a token back: each is asked for ${lasting}, and can be used until its end`;
}

function checkLifetime(settings: GcpSettings, { channel, lifetimeSeconds }: GrantTerms): void {
  if (settings.serviceAccount === undefined || lifetimeSeconds <= LONGEST_LIFETIME_SECONDS) return;
  const key = lifetimeKey(channel);
  const message = `${key} is ${formatDuration(lifetimeSeconds)}, and a service account's token lasts 12h at most`;
  throw new AgentctlError("CONFIG_INVALID", message, { hint: `lower ${key} to 12h or less` });
}
