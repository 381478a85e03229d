import { type HclBody, hclBlock, hclString, nested, raw } from "../../setup/hcl.js";
import { comments } from "../../setup/header.js";
import type { AzureTrustPlan } from "./trust-plan.js";

/** For the provider hashicorp/azuread; the roles, once they are filled in, are for hashicorp/azurerm. */
export function renderTerraform(plan: AzureTrustPlan): string {
  const required: HclBody = [["azuread", { source: "hashicorp/azuread", version: ">= 3.0" }]];
  const parts = [
    comments("#", plan.header),
    hclBlock("terraform", [], [["required_providers", nested(required)]]),
    ...applicationBlocks(plan),
    `${comments("#", plan.conditions)}\n${credentialBlock(plan)}`,
    roleComment(plan),
    hclBlock("output", ["client_id"], [["value", raw(`${applicationOf(plan)}.client_id`)]]),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

function applicationOf({ clientId }: AzureTrustPlan): string {
  return clientId === undefined ? "azuread_application.profile" : "data.azuread_application.profile";
}

function applicationBlocks(plan: AzureTrustPlan): string[] {
  const tenant = hclBlock("data", ["azuread_client_config", "current"], []).replace(" {\n\n}", " {}");
  if (plan.clientId !== undefined) {
    const there = hclBlock("data", ["azuread_application", "profile"], [["client_id", plan.clientId]]);
    const principal = hclBlock("data", ["azuread_service_principal", "profile"], [["client_id", plan.clientId]]);
    return [tenant, `# The application that the profile names.\n${there}`, principal];
  }
  const made = hclBlock("resource", ["azuread_application", "profile"], [["display_name", plan.displayName]]);
  const principal = hclBlock(
    "resource",
    ["azuread_service_principal", "profile"],
    [["client_id", raw("azuread_application.profile.client_id")]],
  );
  return [tenant, `# Made anew: put the output client_id into the profile.\n${made}`, principal];
}

function credentialBlock(plan: AzureTrustPlan): string {
  const body: HclBody = [
    ["application_id", raw(`${applicationOf(plan)}.id`)],
    ["display_name", plan.credentialName],
    ["description", plan.description],
    ["issuer", plan.issuer],
    ["subject", plan.subject],
    ["audiences", [plan.audience]],
  ];
  const tenantIs: HclBody = [
    ["condition", raw(`data.azuread_client_config.current.tenant_id == ${hclString(plan.tenantId)}`)],
    ["error_message", `These credentials are not of the tenant ${plan.tenantId} that the profile names.`],
  ];
  const guard: HclBody = plan.isTenantId ? [["lifecycle", nested([["precondition", nested(tenantIs)]])]] : [];
  return hclBlock("resource", ["azuread_application_federated_identity_credential", "caller"], [...body, ...guard]);
}

function roleComment({ clientId }: AzureTrustPlan): string {
  return comments("#", [
    "TO BE FILLED IN: what the task needs, on single resources or a resource group.",
    'resource "azurerm_role_assignment" "task" {',
    '  scope                = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/…"',
    '  role_definition_name = "Storage Blob Data Reader"',
    `  principal_id         = ${clientId === undefined ? "" : "data."}azuread_service_principal.profile.object_id`,
    "}",
  ]);
}
