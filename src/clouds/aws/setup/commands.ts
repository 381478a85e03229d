import type { PolicyDocument } from "../../../core/profile.js";
import { comments } from "../../setup/header.js";
import { shellCommand, shellQuote } from "../../setup/shell.js";
import { boundaryArnOf } from "./boundary.js";
import { hasOwnPolicy, type RolePlan } from "./roles.js";
import { type AwsTrustPlan, elsewhereComment, trustComments } from "./trust-plan.js";

/** A script for a POSIX shell with AWS's own command line. What is there already is changed only when asked for. */
export function renderCommands(plan: AwsTrustPlan): string {
  const parts = [
    `#!/bin/sh\n${comments("#", [...plan.header, "", ...USAGE])}\nset -eu`,
    checkAccount(plan),
    provider(plan),
    ...plan.roles.map((role) => roleCommands(role, trustComments(role, plan))),
    ...plan.elsewhere.map(elsewhereComment),
    `echo ${shellQuote(`ready: ${plan.roles.map(({ arn }) => arn).join(" ")}`)}`,
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

const USAGE = [
  "A role or a boundary that is there already is left alone, and the script stops;",
  "AGENTCTL_SETUP_REPLACE=yes replaces its trust, boundary and policy.",
];

function checkAccount({ accountId }: AwsTrustPlan): string {
  return `account=$(aws sts get-caller-identity --query Account --output text)
if [ "$account" != ${shellQuote(accountId)} ]; then
  echo "these credentials are of the account $account, and the profile's role is in ${accountId}" >&2
  exit 1
fi
stop_unless_replacing() {
  [ "\${AGENTCTL_SETUP_REPLACE:-no}" = yes ] && return
  echo "$1 is there already; AGENTCTL_SETUP_REPLACE=yes replaces it" >&2
  exit 1
}`;
}

function provider({ issuer, audience, providerArn }: AwsTrustPlan): string {
  const arn = ["--open-id-connect-provider-arn", shellQuote(providerArn)];
  const create = shellCommand(
    ["aws", "iam", "create-open-id-connect-provider"],
    [
      ["--url", shellQuote(issuer)],
      ["--client-id-list", shellQuote(audience)],
    ],
  );
  const add = shellCommand(
    ["aws", "iam", "add-client-id-to-open-id-connect-provider"],
    [arn, ["--client-id", shellQuote(audience)]],
  );
  return `# The issuer, once an account; only its tokens for this audience are looked at.
if clients=$(aws iam get-open-id-connect-provider ${arn.join(" ")} \\
  --query ClientIDList --output text 2>/dev/null); then
  if ! printf '%s\\n' "$clients" | tr '\\t' '\\n' | grep -qxF -e ${shellQuote(audience)}; then
${indent(indent(add))}
  fi
else
${indent(create)} >/dev/null
fi`;
}

function roleCommands(role: RolePlan, conditions: readonly string[]): string {
  const boundaryArn = boundaryArnOf(role);
  const why = conditions.length === 0 ? "" : `${comments("#", conditions)}\n`;
  return [
    `# The most that ${role.name} can ever be, whatever is attached to it.\n${boundaryCommands(role, boundaryArn)}`,
    `${why}${trustCommands(role, boundaryArn)}`,
    permissionCommands(role),
  ].join("\n\n");
}

function boundaryCommands(role: RolePlan, arn: string): string {
  const document = ["--policy-document", '"$boundary"'];
  const version = shellCommand(
    ["aws", "iam", "create-policy-version"],
    [["--policy-arn", shellQuote(arn)], document, ["--set-as-default"]],
  );
  const create = shellCommand(
    ["aws", "iam", "create-policy"],
    [["--policy-name", shellQuote(role.boundaryName)], ["--path", shellQuote(role.path)], document],
  );
  return `boundary=${jsonWord(role.boundary)}
if aws iam get-policy --policy-arn ${shellQuote(arn)} >/dev/null 2>&1; then
  stop_unless_replacing ${shellQuote(`the policy ${role.boundaryName}`)}
${indent(version)} >/dev/null
else
${indent(create)} >/dev/null
fi`;
}

function trustCommands(role: RolePlan, boundaryArn: string): string {
  const name = ["--role-name", shellQuote(role.name)];
  const session = ["--max-session-duration", String(role.maxSessionSeconds)];
  const boundary = ["--permissions-boundary", shellQuote(boundaryArn)];
  const create = shellCommand(
    ["aws", "iam", "create-role"],
    [name, ["--path", shellQuote(role.path)], session, boundary, ["--assume-role-policy-document", '"$trust"']],
  );
  const replace = [
    shellCommand(["aws", "iam", "put-role-permissions-boundary"], [name, boundary]),
    shellCommand(["aws", "iam", "update-assume-role-policy"], [name, ["--policy-document", '"$trust"']]),
    `${shellCommand(["aws", "iam", "update-role"], [name, session])} >/dev/null`,
  ];
  return `trust=${jsonWord(role.trust)}
if aws iam get-role ${name.join(" ")} >/dev/null 2>&1; then
  stop_unless_replacing ${shellQuote(`the role ${role.name}`)}
${indent(replace.join("\n"))}
else
${indent(create)} >/dev/null
fi`;
}

function permissionCommands(role: RolePlan): string {
  const name = ["--role-name", shellQuote(role.name)];
  const attached = role.managedPolicyArns.map((arn) =>
    shellCommand(["aws", "iam", "attach-role-policy"], [name, ["--policy-arn", shellQuote(arn)]]),
  );
  if (!hasOwnPolicy(role)) return attached.join("\n");
  const policyName = ["--policy-name", shellQuote(role.policyName)];
  const put = shellCommand(
    ["aws", "iam", "put-role-policy"],
    [name, policyName, ["--policy-document", '"$permissions"']],
  );
  const filled = ["aws", "iam", "get-role-policy", ...name, ...policyName].join(" ");
  // What somebody has filled in is theirs, whatever is replaced.
  const kept = role.isToBeFilled ? `if ! ${filled} >/dev/null 2>&1; then\n${indent(put)}\nfi` : put;
  return [`${comments("#", role.permissionsWhy)}\npermissions=${jsonWord(role.permissions)}`, kept, ...attached].join(
    "\n",
  );
}

function jsonWord(document: PolicyDocument): string {
  return shellQuote(JSON.stringify(document, null, 2));
}

function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}
