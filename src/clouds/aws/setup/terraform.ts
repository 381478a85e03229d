import type { PolicyDocument } from "../../../core/profile.js";
import { type HclBody, type HclValue, hclBlock, hclString, hclValue, nested, raw } from "../../setup/hcl.js";
import { type HclNamer, hclNamer, providerLines } from "../../setup/hcl-name.js";
import { comments } from "../../setup/header.js";
import { hasOwnPolicy, type RolePlan } from "./roles.js";
import { type AwsTrustPlan, elsewhereComment, trustComments } from "./trust-plan.js";

/** For the provider hashicorp/aws, as a module of its own or beside others. */
export function renderTerraform(plan: AwsTrustPlan): string {
  const name = hclNamer(plan.profileName);
  const parts = [
    comments("#", [...plan.header, ...providerLines([{ source: "hashicorp/aws", from: "5.60" }])]),
    providerBlocks(plan, name),
    hclBlock("data", ["aws_caller_identity", name("current")], []).replace(" {\n\n}", " {}"),
    ...plan.roles.map((role, index) =>
      roleBlocks(role, { plan, name, ...(role.kind === "chained" && { previous: plan.roles[index - 1] }) }),
    ),
    ...plan.elsewhere.map(elsewhereComment),
    hclBlock("output", [name("role_arn")], [["value", raw(`aws_iam_role.${name("role")}.arn`)]]),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

/** What a role is written among. */
interface Surroundings {
  readonly plan: AwsTrustPlan;
  readonly name: HclNamer;
  /** The role that assumes a chained one. */
  readonly previous?: RolePlan | undefined;
}

function providerBlocks({ issuer, audience }: AwsTrustPlan, name: HclNamer): string {
  const variable = hclBlock(
    "variable",
    [name("create_oidc_provider")],
    [
      ["description", "false where the account has this provider already: there is one an issuer"],
      ["type", raw("bool")],
      ["default", true],
    ],
  );
  const provider = hclBlock(
    "resource",
    ["aws_iam_openid_connect_provider", name("issuer")],
    [
      ["count", raw(`var.${name("create_oidc_provider")} ? 1 : 0`)],
      ["url", issuer],
      ["client_id_list", [audience]],
    ],
  );
  return `${variable}\n${provider}`;
}

function roleBlocks(role: RolePlan, among: Surroundings): string {
  const { plan, name } = among;
  const boundary = hclBlock(
    "resource",
    ["aws_iam_policy", name(`${role.label}_boundary`)],
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
    `${trusts}${hclBlock("resource", ["aws_iam_role", name(role.label)], roleBody(role, among))}`,
    ...permissionBlocks(role, name),
  ].join("\n");
}

function roleBody(role: RolePlan, { plan, name, previous }: Surroundings): HclBody {
  const after =
    previous === undefined
      ? `aws_iam_openid_connect_provider.${name("issuer")}`
      : `aws_iam_role.${name(previous.label)}`;
  return [
    ["name", role.name],
    ["path", role.path],
    ["max_session_duration", role.maxSessionSeconds],
    // A role that has policies which Terraform doesn't know of is not destroyed otherwise.
    ...(role.holdsDenies ? ([["force_detach_policies", true]] as const) : []),
    ["permissions_boundary", raw(`aws_iam_policy.${name(`${role.label}_boundary`)}.arn`)],
    ["assume_role_policy", jsonencode(role.trust)],
    ["depends_on", [raw(after)]],
    ["lifecycle", nested([["precondition", nested(accountIs(plan.accountId, name))]])],
  ];
}

function accountIs(accountId: string, name: HclNamer): HclBody {
  return [
    ["condition", raw(`data.aws_caller_identity.${name("current")}.account_id == ${hclString(accountId)}`)],
    ["error_message", `These credentials are not of the account ${accountId} that the profile names.`],
  ];
}

function permissionBlocks(role: RolePlan, name: HclNamer): string[] {
  const attached = role.managedPolicyArns.map((arn, index) =>
    hclBlock(
      "resource",
      ["aws_iam_role_policy_attachment", name(`${role.label}_${index + 1}`)],
      [
        ["role", raw(`aws_iam_role.${name(role.label)}.name`)],
        ["policy_arn", arn],
      ],
    ),
  );
  if (!hasOwnPolicy(role)) return attached;
  const own = hclBlock(
    "resource",
    ["aws_iam_role_policy", name(role.label)],
    [
      ["name", role.policyName],
      ["role", raw(`aws_iam_role.${name(role.label)}.name`)],
      ["policy", jsonencode(role.permissions)],
    ],
  );
  return [`${comments("#", role.permissionsWhy)}\n${own}`, ...attached];
}

function jsonencode(document: PolicyDocument): HclValue {
  return raw(`jsonencode(${hclValue(document as HclValue, "  ")})`);
}
