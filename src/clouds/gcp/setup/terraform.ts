import { type HclBody, hclBlock, nested, raw } from "../../setup/hcl.js";
import { comments } from "../../setup/header.js";
import type { GcpTrustPlan, ServiceAccount } from "./trust-plan.js";

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
    ...(plan.serviceAccount === undefined ? [] : accountBlocks(plan.serviceAccount, plan)),
    ...bucketBlocks(plan),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

function switchOf(name: string, description: string): string {
  const body: HclBody = [
    ["description", description],
    ["type", raw("bool")],
    ["default", true],
  ];
  return hclBlock("variable", [name], body);
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

function accountBlocks({ email, accountId, projectId }: ServiceAccount, plan: GcpTrustPlan): string[] {
  const account = hclBlock(
    "resource",
    ["google_service_account", "profile"],
    [
      ["count", raw("var.create_service_account ? 1 : 0")],
      ["project", projectId ?? ""],
      ["account_id", accountId],
    ],
  );
  const user = hclBlock(
    "resource",
    ["google_service_account_iam_member", "caller"],
    [
      ["service_account_id", `projects/${projectId ?? "-"}/serviceAccounts/${email}`],
      ["role", "roles/iam.workloadIdentityUser"],
      ["member", plan.principal],
      ...((projectId === undefined ? [] : [["depends_on", [raw("google_service_account.profile")]]]) as HclBody),
    ],
  );
  const made =
    projectId === undefined
      ? []
      : [switchOf("create_service_account", "false where the service account is there already"), account];
  return [...made, `# One subject of the pool, and no other, may be the service account.\n${user}`];
}

function bucketBlocks({ buckets, grantee, serviceAccount }: GcpTrustPlan): string[] {
  if (buckets.length === 0) return [`${FILL_IN}\n# member: ${grantee}`];
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
