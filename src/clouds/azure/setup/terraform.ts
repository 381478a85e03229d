import { type HclBody, hclBlock, hclString, nested, raw } from "../../setup/hcl.js";
import { comments } from "../../setup/header.js";
import type { Application } from "./applications.js";
import { granterBlocks } from "./granter-terraform.js";
import type { AzureTrustPlan } from "./trust-plan.js";

/** For the providers hashicorp/azuread and, where roles are written, hashicorp/azurerm. */
export function renderTerraform(plan: AzureTrustPlan): string {
  const { clients, granter } = plan;
  const applications = [...clients, ...(granter === undefined ? [] : [granter.application])];
  const manager: HclBody =
    granter === undefined ? [] : [["azurerm", { source: "hashicorp/azurerm", version: ">= 4.0" }]];
  const required: HclBody = [["azuread", { source: "hashicorp/azuread", version: ">= 3.0" }], ...manager];
  const parts = [
    comments("#", plan.header),
    hclBlock("terraform", [], [["required_providers", nested(required)]]),
    hclBlock("data", ["azuread_client_config", "current"], []).replace(" {\n\n}", " {}"),
    ...applications.flatMap(applicationBlocks),
    ...applications.map(
      (one, index) => `${index === 0 ? `${comments("#", plan.conditions)}\n` : ""}${credentialBlock(plan, one)}`,
    ),
    ...(plan.givesForLease ? [] : [roleComment(clients[0])]),
    ...(granter === undefined ? [] : granterBlocks(granter, clients)),
    ...applications.map(outputBlock),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

function outputBlock(application: Application): string {
  const name = application.label === "profile" ? "client_id" : `${application.label}_client_id`;
  return hclBlock("output", [name], [["value", raw(`${referenceTo(application)}.client_id`)]]);
}

function referenceTo({ label, clientId }: Application): string {
  return `${clientId === undefined ? "" : "data."}azuread_application.${label}`;
}

function applicationBlocks({ label, clientId, displayName, key }: Application): string[] {
  if (clientId !== undefined) {
    const there = hclBlock("data", ["azuread_application", label], [["client_id", clientId]]);
    const principal = hclBlock("data", ["azuread_service_principal", label], [["client_id", clientId]]);
    return [`# The application that the profile names as ${key}.\n${there}`, principal];
  }
  const output = label === "profile" ? "client_id" : `${label}_client_id`;
  const made = hclBlock("resource", ["azuread_application", label], [["display_name", displayName]]);
  const principal = hclBlock(
    "resource",
    ["azuread_service_principal", label],
    [["client_id", raw(`azuread_application.${label}.client_id`)]],
  );
  return [`# Made anew: put the output ${output} into the profile as ${key}.\n${made}`, principal];
}

function credentialBlock(plan: AzureTrustPlan, application: Application): string {
  const body: HclBody = [
    ["application_id", raw(`${referenceTo(application)}.id`)],
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
  const label = application.label === "profile" ? "caller" : `${application.label}_caller`;
  return hclBlock("resource", ["azuread_application_federated_identity_credential", label], [...body, ...guard]);
}

function roleComment(application: Application | undefined): string {
  return comments("#", [
    "TO BE FILLED IN: what the task needs, on single resources or a resource group.",
    'resource "azurerm_role_assignment" "task" {',
    '  scope                = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/…"',
    '  role_definition_name = "Storage Blob Data Reader"',
    `  principal_id         = ${application?.clientId === undefined ? "" : "data."}azuread_service_principal.profile.object_id`,
    "}",
  ]);
}
