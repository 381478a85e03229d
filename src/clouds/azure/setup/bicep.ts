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
resource caller 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: identity
  name: ${bicepString(plan.credentialName)}
  properties: {
    issuer: ${bicepString(plan.issuer)}
    subject: ${bicepString(plan.subject)}
    audiences: [
      ${bicepString(plan.audience)}
    ]
  }
}

${comments("//", ROLES)}

output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
`;
}

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
