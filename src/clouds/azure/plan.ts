import { AgentctlError } from "../../core/errors.js";
import type { GrantPlan, GrantTerms } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { resolveAuthority } from "./authority.js";
import { readScopes } from "./scopes.js";
import { variableNames } from "./variables.js";

/** Names of no tenant at all: with them Microsoft Entra takes whichever the user is of, and here is no user. */
const NO_TENANT: readonly string[] = ["common", "organizations", "consumers", "adfs"];

/**
 * Works out what Microsoft Entra will be asked for, asking nobody and loading no SDK.
 * @throws {AgentctlError} CONFIG_INVALID, ENDPOINT_INVALID
 */
export function planAzureGrant(settings: AzureSettings, terms: GrantTerms, runtime: Pick<Runtime, "env">): GrantPlan {
  const { tenantId, audiences, scopes } = settings;
  if (NO_TENANT.includes(tenantId.toLowerCase())) {
    throw new AgentctlError("CONFIG_INVALID", `azure.tenant_id is ${tenantId}, which is no tenant`, {
      hint: "write the tenant's id, or one of its domains",
    });
  }
  const tokens = readScopes(scopes);
  const authority = resolveAuthority(runtime);
  const { host } = new URL(authority.url);
  return {
    cloud: "azure",
    channel: terms.channel,
    principal: principalOf(settings),
    audiences,
    steps: tokens.map(
      ({ scope }) => `get a token for ${scope} at ${host} with the OIDC token (aud ${audiences.join(" or ")})`,
    ),
    narrowing: ["no narrowing: all that the application is assigned; Azure cannot narrow a token"],
    variables: variableNames(settings, tokens, terms.channel),
    ending: {
      word: "expires",
      detail: "Azure cannot take a token back: each can be used until it ends by itself, usually 60 to 90 minutes on",
    },
    facts: { authority: host, scopes },
    undo: {},
    endpoints: authority.override === undefined ? [] : [authority.override],
  };
}

export function principalOf(settings: AzureSettings): string {
  return `application ${settings.clientId} in tenant ${settings.tenantId}`;
}
