import type { Grant } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";
import { tenantIdsOf } from "./tenant.js";

/** Below the private directory; an AZURE_CONFIG_DIR. */
export const CLI_DIR = "azure";

/** `az` has a name for each national cloud, and picks its addresses by it: KNOWN_CLOUDS in azure/cli/core/cloud.py. */
const CLOUDS: Readonly<Record<string, string>> = {
  "https://login.microsoftonline.us": "AzureUSGovernment",
  "https://login.partner.microsoftonline.cn": "AzureChinaCloud",
  "https://login.chinacloudapi.cn": "AzureChinaCloud",
  "https://login.sovcloud-identity.fr": "AzureBleuCloud",
};
const PUBLIC_CLOUD = "AzureCloud";

/**
 * What makes `az` signed in as a managed identity, as `az login --identity` would write it; it asks App Service's
 * protocol for each token and keeps none. Holds no secret, and does not change with the grant.
 */
export function cliFiles(settings: AzureSettings, grant: Grant): Readonly<Record<string, string>> {
  const cloudName = CLOUDS[String(grant.facts["authority"])] ?? PUBLIC_CLOUD;
  return {
    [`${CLI_DIR}/azureProfile.json`]: JSON.stringify({ subscriptions: [account(settings, grant, cloudName)] }),
    [`${CLI_DIR}/config`]: configOf(cloudName),
  };
}

/** Read by azure/cli/core/_profile.py; without a subscription it is what `--allow-no-subscriptions` makes of a tenant. */
function account(settings: AzureSettings, grant: Grant, cloudName: string): object {
  const { clientId, subscriptionId } = settings;
  const [tenantId] = tenantIdsOf(settings, grant);
  return {
    id: subscriptionId ?? tenantId,
    // The subscription's own name is Azure's to know, and `az` finds it by either.
    name: subscriptionId ?? "N/A(tenant level account)",
    state: "Enabled",
    user: { name: "userAssignedIdentity", type: "servicePrincipal", assignedIdentityInfo: `MSIClient-${clientId}` },
    isDefault: true,
    tenantId,
    environmentName: cloudName,
  };
}

/** Telemetry is sent by a process that outlives the command, and would write here after the lease's end. */
function configOf(cloudName: string): string {
  const core = ["first_run = yes", "collect_telemetry = no", "survey_message = no"];
  return ["[cloud]", `name = ${cloudName}`, "", "[core]", ...core, ""].join("\n");
}
