import { type HclBody, hclBlock, nested, raw } from "../../setup/hcl.js";
import { comments } from "../../setup/header.js";
import { accountBlocks, switchOf } from "./account-terraform.js";
import { granterBlocks } from "./granter-terraform.js";
import type { GcpTrustPlan } from "./trust-plan.js";

const FILL_IN =
  "# TO BE FILLED IN: the profile does not say what it needs. Grant it on single resources rather than the project.";

/** For the provider hashicorp/google, as a module of its own or beside others. */
export function renderTerraform(plan: GcpTrustPlan): string {
  const required: HclBody = [["google", { source: "hashicorp/google", version: ">= 5.0" }]];
  const parts = [
    comments("#", plan.header),
    hclBlock("terraform", [], [["required_providers", nested(required)]]),
    switchOf("create_pool", "false where the pool is there already"),
    poolBlock(plan),
    `${comments("#", plan.conditions)}\n${providerBlock(plan)}`,
    ...principalBlocks(plan),
    ...bucketBlocks(plan),
    ...granterBlocks(plan.granter, plan.principal),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

function poolBlock({ projectNumber, poolId }: GcpTrustPlan): string {
  const body: HclBody = [
    ["count", raw("var.create_pool ? 1 : 0")],
    ["project", projectNumber],
    ["workload_identity_pool_id", poolId],
  ];
  return hclBlock("resource", ["google_iam_workload_identity_pool", "pool"], body);
}

function providerBlock(plan: GcpTrustPlan): string {
  return hclBlock(
    "resource",
    ["google_iam_workload_identity_pool_provider", "issuer"],
    [
      ["project", plan.projectNumber],
      ["workload_identity_pool_id", plan.poolId],
      ["workload_identity_pool_provider_id", plan.providerId],
      ["attribute_mapping", { "google.subject": plan.subjectExpression }],
      ["attribute_condition", plan.condition],
      ["depends_on", [raw("google_iam_workload_identity_pool.pool")]],
      [
        "oidc",
        nested([
          ["issuer_uri", plan.issuer],
          ["allowed_audiences", [plan.audience]],
        ]),
      ],
    ],
  );
}

function principalBlocks({ serviceAccount: account, principal }: GcpTrustPlan): string[] {
  return account === undefined ? [] : accountBlocks({ account, principal, label: "profile", what: "service_account" });
}

function bucketBlocks({ buckets, grantee, serviceAccount, givesForLease }: GcpTrustPlan): string[] {
  if (buckets.length === 0) return givesForLease ? [] : [`${FILL_IN}\n# member: ${grantee}`];
  const after: HclBody =
    serviceAccount?.projectId === undefined ? [] : [["depends_on", [raw("google_service_account.profile")]]];
  return buckets.map(({ bucket, role }, index) =>
    hclBlock(
      "resource",
      ["google_storage_bucket_iam_member", `bucket_${index + 1}`],
      [["bucket", bucket], ["role", role], ["member", grantee], ...after],
    ),
  );
}
