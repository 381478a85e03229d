import { comments } from "../../setup/header.js";
import { shellCommand, shellQuote } from "../../setup/shell.js";
import type { AzureTrustPlan } from "./trust-plan.js";

const CREDENTIAL = ["az", "ad", "app", "federated-credential"];

/** A script for a POSIX shell with Azure's own command line. A credential that is there already is left alone. */
export function renderCommands(plan: AzureTrustPlan): string {
  const parts = [
    `#!/bin/sh\n${comments("#", plan.header)}\nset -eu`,
    ...(plan.isTenantId ? [checkTenant(plan)] : []),
    application(plan),
    `${comments("#", plan.conditions)}\n${credential(plan)}`,
    comments("#", ROLES),
    'echo "ready: client_id $client_id"',
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

const ROLES = [
  "TO BE FILLED IN: what the task needs, on single resources or a resource group.",
  'az role assignment create --role "Storage Blob Data Reader" --assignee "$client_id" --scope /subscriptions/…',
];

function checkTenant({ tenantId }: AzureTrustPlan): string {
  return `tenant=$(az account show --query tenantId --output tsv)
if [ "$tenant" != ${shellQuote(tenantId)} ]; then
  echo "this login is in the tenant $tenant, and the profile's is ${tenantId}" >&2
  exit 1
fi`;
}

function application({ clientId, displayName }: AzureTrustPlan): string {
  if (clientId !== undefined) return `# The application that the profile names.\nclient_id=${shellQuote(clientId)}`;
  const create = ["az", "ad", "app", "create", "--display-name", shellQuote(displayName)];
  return `# Made anew: put its client_id into the profile.
client_id=$(${create.join(" ")} --query appId --output tsv)
az ad sp create --id "$client_id" >/dev/null`;
}

function credential(plan: AzureTrustPlan): string {
  const document = {
    name: plan.credentialName,
    description: plan.description,
    issuer: plan.issuer,
    subject: plan.subject,
    audiences: [plan.audience],
  };
  const query = `[?name=='${plan.credentialName}'].name`;
  const list = [...CREDENTIAL, "list", "--id", '"$client_id"', "--query", shellQuote(query), "--output", "tsv"];
  const create = shellCommand(
    [...CREDENTIAL, "create"],
    [
      ["--id", '"$client_id"'],
      ["--parameters", '"$credential"'],
    ],
  );
  return `credential=${shellQuote(JSON.stringify(document, null, 2))}
if [ -n "$(${list.join(" ")})" ]; then
  echo "the application has a credential ${plan.credentialName} already, which is left as it is" >&2
  exit 1
fi
${create} >/dev/null`;
}
