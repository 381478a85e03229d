import { comments } from "../../setup/header.js";
import type { AzureTrustPlan } from "./trust-plan.js";

/**
 * A user-assigned managed identity and its credential, which Bicep can deploy into a resource group by itself;
 * applications are in Microsoft Graph, which it reaches by an extension only.
 */
export function renderBicep(plan: AzureTrustPlan): string {
  const how = [
    "",
    "To apply: az deployment group create --resource-group GROUP --template-file FILE",
    "Then put the output clientId into the profile as azure.client_id.",
    ...(plan.clients.length > 1 ? ["For each of the pool once more, with another identityName."] : []),
    ...(plan.granter === undefined ? [] : GRANTER),
  ];
  return `${comments("//", [...plan.header, ...how])}

targetScope = 'resourceGroup'

param location string = resourceGroup().location
param identityName string = ${bicepString(plan.displayName)}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: identityName
  location: location
}

${comments("//", plan.conditions)}
${credential("caller", "identity", plan)}
${plan.givesForLease ? "" : `\n${comments("//", ROLES)}\n`}${plan.granter === undefined ? "" : granter(plan)}
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
`;
}

function credential(name: string, parent: string, plan: AzureTrustPlan): string {
  return `resource ${name} 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: ${parent}
  name: ${bicepString(plan.credentialName)}
  properties: {
    issuer: ${bicepString(plan.issuer)}
    subject: ${bicepString(plan.subject)}
    audiences: [
      ${bicepString(plan.audience)}
    ]
  }
}`;
}

function granter(plan: AzureTrustPlan): string {
  return `
resource granter 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '\${identityName}-granter'
  location: location
}

${credential("granterCaller", "granter", plan)}

output granterClientId string = granter.properties.clientId
`;
}

/** What it may give lies on other scopes than the group that this is deployed into. */
const GRANTER = [
  "And the output granterClientId as azure.granter.client_id. It may give nothing yet: with both ids in the profile,",
  "the last part of what agentctl setup azure --format cli prints is what it may give, and to whom.",
];

const ROLES = [
  "TO BE FILLED IN: what the task needs, on single resources of this group.",
  "resource task 'Microsoft.Authorization/roleAssignments@2022-04-01' = {",
  "  name: guid(resourceGroup().id, identity.id, 'task')",
  "  scope: …",
  "  properties: {",
  "    principalId: identity.properties.principalId",
  "    principalType: 'ServicePrincipal'",
  "    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', …)",
  "  }",
  "}",
];

/** https://learn.microsoft.com/azure/azure-resource-manager/bicep/data-types#strings */
export function bicepString(text: string): string {
  const escaped = text
    .replace(/[\\']/g, "\\$&")
    .replaceAll("${", "\\${")
    .replace(/[^\x20-\x7e]/gu, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
  return `'${escaped}'`;
}
