import { comments } from "../../setup/header.js";
import { shellCommand, shellQuote } from "../../setup/shell.js";
import type { Application } from "./applications.js";
import { granterCommands, variableOf } from "./granter-commands.js";
import type { AzureTrustPlan } from "./trust-plan.js";

const CREDENTIAL = ["az", "ad", "app", "federated-credential"];

/** A script for a POSIX shell with Azure's own command line. A credential that is there already is never changed. */
export function renderCommands(plan: AzureTrustPlan): string {
  const applications = [...plan.clients, ...(plan.granter === undefined ? [] : [plan.granter.application])];
  const parts = [
    `#!/bin/sh\n${comments("#", plan.header)}\nset -eu`,
    ...(plan.isTenantId ? [checkTenant(plan)] : []),
    ...applications.map(application),
    `${comments("#", plan.conditions)}\n${credential(plan, applications)}`,
    ...(plan.givesForLease ? [] : [comments("#", ROLES)]),
    ...(plan.granter === undefined ? [] : granterCommands(plan.granter, plan.clients)),
    applications.map(({ label, key }) => `echo "ready: ${key} $${variableOf(label)}"`).join("\n"),
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

function application({ label, clientId, displayName, key }: Application): string {
  const variable = variableOf(label);
  if (clientId !== undefined)
    return `# The application that the profile names as ${key}.\n${variable}=${shellQuote(clientId)}`;
  const create = ["az", "ad", "app", "create", "--display-name", shellQuote(displayName)];
  return `# Made anew: put its client id into the profile as ${key}.
${variable}=$(${create.join(" ")} --query appId --output tsv)
if ! az ad sp show --id "$${variable}" >/dev/null 2>&1; then
  az ad sp create --id "$${variable}" >/dev/null
fi`;
}

/** The same for each application; one that is there already has to be the same. */
function credential(plan: AzureTrustPlan, applications: readonly Application[]): string {
  const document = {
    name: plan.credentialName,
    description: plan.description,
    issuer: plan.issuer,
    subject: plan.subject,
    audiences: [plan.audience],
  };
  const query = `[?name=='${plan.credentialName}'].[issuer, subject, join(' ', audiences)]`;
  const list = [...CREDENTIAL, "list", "--id", '"$1"', "--query", shellQuote(query), "--output", "tsv"];
  const create = shellCommand(
    [...CREDENTIAL, "create"],
    [
      ["--id", '"$1"'],
      ["--parameters", '"$credential"'],
    ],
  );
  const expected = [plan.issuer, plan.subject, plan.audience].map(shellQuote);
  return `credential=${shellQuote(JSON.stringify(document, null, 2))}
expected=$(printf '%s\\t%s\\t%s' ${expected.join(" ")})
federate() {
  there=$(${list.join(" ")})
  if [ -z "$there" ]; then
${create.replace(/^/gm, "    ")} >/dev/null
  elif [ "$there" != "$expected" ]; then
    echo "the application $1 has another credential ${plan.credentialName} already, which is left as it is" >&2
    exit 1
  fi
}
${applications.map(({ label }) => `federate "$${variableOf(label)}"`).join("\n")}`;
}
