import type { AzureSettings, Channel } from "../../core/profile.js";
import type { Secret } from "../../core/secret.js";
import type { ScopedToken } from "./scopes.js";

/**
 * Whom and where the tokens are for, in the names of Azure's SDKs and of Terraform. Alone they make no tool sign in:
 * each credential that reads them wants a secret, a certificate, a token file or a flag besides.
 */
function contextVariables(settings: AzureSettings): Readonly<Record<string, string>> {
  const { tenantId, clientId, subscriptionId } = settings;
  return {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    ARM_TENANT_ID: tenantId,
    ARM_CLIENT_ID: clientId,
    ...(subscriptionId !== undefined && { AZURE_SUBSCRIPTION_ID: subscriptionId, ARM_SUBSCRIPTION_ID: subscriptionId }),
  };
}

/** The names of the variables that carry an Azure grant to the child; by the endpoint, only where it is for. */
export function variableNames(
  settings: AzureSettings,
  tokens: readonly ScopedToken[],
  channel: Channel,
): readonly string[] {
  const secret = channel === "env" ? tokens.map(({ variable }) => variable) : [];
  return [...secret, ...Object.keys(contextVariables(settings))];
}

/** The variables themselves. */
export function grantVariables(
  settings: AzureSettings,
  tokens: readonly (ScopedToken & { readonly token: Secret })[],
  channel: Channel,
): Readonly<Record<string, string | Secret>> {
  if (channel === "endpoint") return contextVariables(settings);
  const secrets = Object.fromEntries(tokens.map(({ variable, token }) => [variable, token]));
  return { ...secrets, ...contextVariables(settings) };
}
