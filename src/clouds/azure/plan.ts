import { AgentctlError } from "../../core/errors.js";
import type { GrantPlan, GrantTerms } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { resolveAuthority } from "./authority.js";
import { planRights } from "./rights/plan-rights.js";
import { readScopes } from "./scopes.js";
import { variableNames } from "./variables.js";

/** Names of no tenant at all: with them Microsoft Entra takes whichever the user is of, and here is no user. */
const NO_TENANT: readonly string[] = ["common", "organizations", "consumers", "adfs"];

const NO_NARROWING = "no narrowing: all that the application is assigned; Azure cannot narrow a token";
const NOT_TAKEN_BACK =
  "Azure cannot take a token back: each can be used until it ends by itself, usually 60 to 90 minutes on";

/**
 * Works out what Azure will be asked for, asking nobody and loading no SDK.
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
  const rights = planRights(settings, terms, runtime);
  return {
    cloud: "azure",
    channel: terms.channel,
    principal: principalOf(settings),
    audiences,
    steps: [
      ...(rights?.steps ?? []),
      ...tokens.map(
        ({ scope }) =>
          `${rights === undefined ? "" : "then, for the command, "}get a token for ${scope} at ${host} with the OIDC token (aud ${audiences.join(" or ")})`,
      ),
    ],
    narrowing: rights?.narrowing ?? [NO_NARROWING],
    variables: variableNames(settings, tokens, terms.channel),
    ending: rights?.ending ?? { word: "expires", detail: NOT_TAKEN_BACK },
    facts: { authority: host, scopes, ...rights?.facts },
    undo: rights?.undo ?? {},
    endpoints: [...(authority.override === undefined ? [] : [authority.override]), ...(rights?.endpoints ?? [])],
  };
}

/** Which of a pool it is shows when the rights are given. */
export function principalOf({ clientId, otherClientIds, tenantId }: AzureSettings): string {
  return `application ${[clientId, ...otherClientIds].join(" or ")} in tenant ${tenantId}`;
}
