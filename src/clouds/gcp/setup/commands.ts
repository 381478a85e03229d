import { comments } from "../../setup/header.js";
import { shellCommand, shellQuote } from "../../setup/shell.js";
import { accountCommands, BIND, indent, unlessThere } from "./account-commands.js";
import { granterCommands } from "./granter-commands.js";
import type { GcpTrustPlan } from "./trust-plan.js";

const FILL_IN =
  "# TO BE FILLED IN: the profile does not say what it needs. Grant it on single resources rather than the project.";
const POOLS = ["gcloud", "iam", "workload-identity-pools"];

/** A script for a POSIX shell with gcloud. A provider that is there already is never changed: others may use it. */
export function renderCommands(plan: GcpTrustPlan): string {
  const parts = [
    `#!/bin/sh\n${comments("#", plan.header)}\nset -eu`,
    BIND,
    poolCommands(plan),
    `${comments("#", plan.conditions)}\n${providerCommands(plan)}`,
    ...(plan.serviceAccount === undefined ? [] : [accountCommands(plan.serviceAccount, plan.principal)]),
    ...bucketCommands(plan),
    ...granterCommands(plan.granter, plan.principal),
    `echo ${shellQuote(`ready: ${plan.grantee}`)}`,
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

/** By its whole name, since gcloud takes no project's number for --project. */
function poolName({ projectNumber, poolId }: GcpTrustPlan): string {
  return `projects/${projectNumber}/locations/global/workloadIdentityPools/${poolId}`;
}

function poolCommands(plan: GcpTrustPlan): string {
  const pool = shellQuote(poolName(plan));
  return unlessThere([...POOLS, "describe", pool], shellCommand([...POOLS, "create", pool]));
}

function providerCommands(plan: GcpTrustPlan): string {
  const providers = [...POOLS, "providers"];
  const provider = shellQuote(`${poolName(plan)}/providers/${plan.providerId}`);
  const describe = [...providers, "describe", provider];
  const create = shellCommand(
    [...providers, "create-oidc", provider],
    [
      [`--issuer-uri=${shellQuote(plan.issuer)}`],
      [`--allowed-audiences=${shellQuote(plan.audience)}`],
      [`--attribute-mapping=${shellQuote(`google.subject=${plan.subjectExpression}`)}`],
      ['--attribute-condition="$condition"'],
    ],
  );
  const expected = [plan.issuer, plan.audience, `google.subject=${plan.subjectExpression}`].map(shellQuote);
  const fields = "oidc.issuerUri,oidc.allowedAudiences,attributeMapping,attributeCondition";
  return `condition=${shellQuote(plan.condition)}
if ${describe.join(" ")} >/dev/null 2>&1; then
  expected=$(printf '%s\\n' ${expected.join(" ")})
  there=$(${describe.join(" ")} \\
    '--format=value[separator="\\n"](${fields})')
  problem=""
  if [ "$(printf '%s\\n' "$there" | head -n 3)" != "$expected" ]; then
    problem="not as it has to be"
  elif [ "$(printf '%s\\n' "$there" | tail -n +4)" != "$condition" ] && [ "\${AGENTCTL_SETUP_KEEP:-no}" != yes ]; then
    problem="under another condition (AGENTCTL_SETUP_KEEP=yes goes on, where that lets this identity in)"
  fi
  if [ -n "$problem" ]; then
    echo "the provider is there already, and $problem; it is left as it is:" >&2
    printf '%s\\n' "$there" >&2
    exit 1
  fi
else
${indent(create)}
fi`;
}

function bucketCommands({ buckets, grantee, givesForLease }: GcpTrustPlan): string[] {
  if (buckets.length === 0) return givesForLease ? [] : [`${FILL_IN}\n# member: ${grantee}`];
  const commands = buckets.map(({ bucket, role }) => {
    const words = ["bind", "gcloud", "storage", "buckets", "add-iam-policy-binding", shellQuote(`gs://${bucket}`)];
    const options = [[`--role=${shellQuote(role)}`], [`--member=${shellQuote(grantee)}`], ["--condition=None"]];
    return shellCommand(words, options);
  });
  return [commands.join("\n")];
}
