import { type HclBody, hclBlock, hclString, nested, raw } from "../../setup/hcl.js";
import { type HclNamer, hclNamer, providerLines } from "../../setup/hcl-name.js";
import { comments } from "../../setup/header.js";
import type { Application } from "./applications.js";
import { granterBlocks } from "./granter-terraform.js";
import type { AzureTrustPlan } from "./trust-plan.js";

/** For the providers hashicorp/azuread and, where roles are written, hashicorp/azurerm. */
export function renderTerraform(plan: AzureTrustPlan): string {
  const { clients, granter } = plan;
  const applications = [...clients, ...(granter === undefined ? [] : [granter.application])];
  const name = hclNamer(plan.profileName);
  const providers = [
    { source: "hashicorp/azuread", from: "3.0" },
    ...(granter === undefined ? [] : [{ source: "hashicorp/azurerm", from: "4.0" }]),
  ];
  const parts = [
    comments("#", [...plan.header, ...providerLines(providers)]),
    hclBlock("data", ["azuread_client_config", name("current")], []).replace(" {\n\n}", " {}"),
    ...applications.flatMap((one) => applicationBlocks(one, name)),
    ...applications.map(
      (one, index) => `${index === 0 ? `${comments("#", plan.conditions)}\n` : ""}${credentialBlock(plan, one, name)}`,
    ),
    ...(plan.givesForLease ? [] : [roleComment(clients[0], name)]),
    ...(granter === undefined ? [] : granterBlocks(granter, plan, name)),
    ...applications.map((one) => outputBlock(one, name)),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

function outputBlock(application: Application, name: HclNamer): string {
  const value = raw(`${referenceTo(application, name)}.client_id`);
  return hclBlock("output", [outputName(application, name)], [["value", value]]);
}

function outputName({ label }: Application, name: HclNamer): string {
  return name(label === "profile" ? "client_id" : `${label}_client_id`);
}

function referenceTo({ label, clientId }: Application, name: HclNamer): string {
  return `${clientId === undefined ? "" : "data."}azuread_application.${name(label)}`;
}

function applicationBlocks(application: Application, name: HclNamer): string[] {
  const { label, clientId, displayName, key } = application;
  if (clientId !== undefined) {
    const there = hclBlock("data", ["azuread_application", name(label)], [["client_id", clientId]]);
    const principal = hclBlock("data", ["azuread_service_principal", name(label)], [["client_id", clientId]]);
    return [`# The application that the profile names as ${key}.\n${there}`, principal];
  }
  const output = outputName(application, name);
  const made = hclBlock("resource", ["azuread_application", name(label)], [["display_name", displayName]]);
  const principal = hclBlock(
    "resource",
    ["azuread_service_principal", name(label)],
    [["client_id", raw(`azuread_application.${name(label)}.client_id`)]],
  );
  return [`# Made anew: put the output ${output} into the profile as ${key}.\n${made}`, principal];
}

function credentialBlock(plan: AzureTrustPlan, application: Application, name: HclNamer): string {
  const body: HclBody = [
    ["application_id", raw(`${referenceTo(application, name)}.id`)],
    ["display_name", plan.credentialName],
    ["description", plan.description],
    ["issuer", plan.issuer],
    ["subject", plan.subject],
    ["audiences", [plan.audience]],
  ];
  const tenantIs: HclBody = [
    ["condition", raw(`data.azuread_client_config.${name("current")}.tenant_id == ${hclString(plan.tenantId)}`)],
    ["error_message", `These credentials are not of the tenant ${plan.tenantId} that the profile names.`],
  ];
  const guard: HclBody = plan.isTenantId ? [["lifecycle", nested([["precondition", nested(tenantIs)]])]] : [];
  const label = application.label === "profile" ? "caller" : `${application.label}_caller`;
  return hclBlock("resource", ["azuread_application_federated_identity_credential", name(label)], [...body, ...guard]);
}

function roleComment(application: Application | undefined, name: HclNamer): string {
  return comments("#", [
    "TO BE FILLED IN: what the task needs, on single resources or a resource group.",
    `resource "azurerm_role_assignment" "${name("task")}" {`,
    '  scope                = "/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/…"',
    '  role_definition_name = "Storage Blob Data Reader"',
    `  principal_id         = ${application?.clientId === undefined ? "" : "data."}azuread_service_principal.${name("profile")}.object_id`,
    "}",
  ]);
}
