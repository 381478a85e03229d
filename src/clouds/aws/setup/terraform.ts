import type { PolicyDocument } from "../../../core/profile.js";
import { type HclBody, type HclValue, hclBlock, hclString, hclValue, nested, raw } from "../../setup/hcl.js";
import { comments } from "../../setup/header.js";
import { hasOwnPolicy, type RolePlan } from "./roles.js";
import { type AwsTrustPlan, elsewhereComment, trustComments } from "./trust-plan.js";

/** For the provider hashicorp/aws, as a module of its own or beside others. */
export function renderTerraform(plan: AwsTrustPlan): string {
  const parts = [
    comments("#", plan.header),
    hclBlock(
      "terraform",
      [],
      [["required_providers", nested([["aws", { source: "hashicorp/aws", version: ">= 5.60" }]])]],
    ),
    providerBlocks(plan),
    hclBlock("data", ["aws_caller_identity", "current"], []).replace(" {\n\n}", " {}"),
    ...plan.roles.map((role, index) =>
      roleBlocks(role, plan, role.kind === "chained" ? plan.roles[index - 1] : undefined),
    ),
    ...plan.elsewhere.map(elsewhereComment),
    hclBlock("output", ["role_arn"], [["value", raw("aws_iam_role.role.arn")]]),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

function providerBlocks({ issuer, audience }: AwsTrustPlan): string {
  const variable = hclBlock(
    "variable",
    ["create_oidc_provider"],
    [
      ["description", "false where the account has this provider already: there is one an issuer"],
      ["type", raw("bool")],
      ["default", true],
    ],
  );
  const provider = hclBlock(
    "resource",
    ["aws_iam_openid_connect_provider", "issuer"],
    [
      ["count", raw("var.create_oidc_provider ? 1 : 0")],
      ["url", issuer],
      ["client_id_list", [audience]],
    ],
  );
  return `${variable}\n${provider}`;
}

function roleBlocks(role: RolePlan, plan: AwsTrustPlan, previous: RolePlan | undefined): string {
  const boundary = hclBlock(
    "resource",
    ["aws_iam_policy", `${role.label}_boundary`],
    [
      ["name", role.boundaryName],
      ["path", role.path],
      ["policy", jsonencode(role.boundary)],
    ],
  );
  const why = trustComments(role, plan);
  const trusts = why.length === 0 ? "" : `${comments("#", why)}\n`;
  return [
    `# The most that ${role.name} can ever be, whatever is attached to it.\n${boundary}`,
    `${trusts}${hclBlock("resource", ["aws_iam_role", role.label], roleBody(role, plan, previous))}`,
    ...permissionBlocks(role),
  ].join("\n");
}

function roleBody(role: RolePlan, plan: AwsTrustPlan, previous: RolePlan | undefined): HclBody {
  const after = previous === undefined ? "aws_iam_openid_connect_provider.issuer" : `aws_iam_role.${previous.label}`;
  return [
    ["name", role.name],
    ["path", role.path],
    ["max_session_duration", role.maxSessionSeconds],
    // A role that has policies which Terraform doesn't know of is not destroyed otherwise.
    ...(role.holdsDenies ? ([["force_detach_policies", true]] as const) : []),
    ["permissions_boundary", raw(`aws_iam_policy.${role.label}_boundary.arn`)],
    ["assume_role_policy", jsonencode(role.trust)],
    ["depends_on", [raw(after)]],
    ["lifecycle", nested([["precondition", nested(accountIs(plan.accountId))]])],
  ];
}

function accountIs(accountId: string): HclBody {
  return [
    ["condition", raw(`data.aws_caller_identity.current.account_id == ${hclString(accountId)}`)],
    ["error_message", `These credentials are not of the account ${accountId} that the profile names.`],
  ];
}

function permissionBlocks(role: RolePlan): string[] {
  const attached = role.managedPolicyArns.map((arn, index) =>
    hclBlock(
      "resource",
      ["aws_iam_role_policy_attachment", `${role.label}_${index + 1}`],
      [
        ["role", raw(`aws_iam_role.${role.label}.name`)],
        ["policy_arn", arn],
      ],
    ),
  );
  if (!hasOwnPolicy(role)) return attached;
  const own = hclBlock(
    "resource",
    ["aws_iam_role_policy", role.label],
    [
      ["name", role.policyName],
      ["role", raw(`aws_iam_role.${role.label}.name`)],
      ["policy", jsonencode(role.permissions)],
    ],
  );
  return [`${comments("#", role.permissionsWhy)}\n${own}`, ...attached];
}

function jsonencode(document: PolicyDocument): HclValue {
  return raw(`jsonencode(${hclValue(document as HclValue, "  ")})`);
}
