import { type HclBody, hclBlock, nested, raw } from "../../setup/hcl.js";
import { type HclNamer, hclNamer, providerLines } from "../../setup/hcl-name.js";
import { comments } from "../../setup/header.js";
import { accountBlocks, switchOf } from "./account-terraform.js";
import { granterBlocks } from "./granter-terraform.js";
import type { GcpTrustPlan } from "./trust-plan.js";

const FILL_IN =
  "# TO BE FILLED IN: the profile does not say what it needs. Grant it on single resources rather than the project.";

/** For the provider hashicorp/google, as a module of its own or beside others. */
export function renderTerraform(plan: GcpTrustPlan): string {
  const name = hclNamer(plan.profileName);
  const parts = [
    comments("#", [...plan.header, ...providerLines([{ source: "hashicorp/google", from: "5.0" }])]),
    switchOf(name("create_pool"), "false where the pool is there already"),
    poolBlock(plan, name),
    switchOf(name("create_provider"), "false where the provider is there already, and lets this identity in"),
    `${comments("#", plan.conditions)}\n${providerBlock(plan, name)}`,
    ...principalBlocks(plan, name),
    ...bucketBlocks(plan, name),
    ...granterBlocks(plan.granter, plan.principal, name),
  ];
  return parts
    .map((part) => part.trimEnd())
    .join("\n\n")
    .concat("\n");
}

function poolBlock({ projectNumber, poolId }: GcpTrustPlan, name: HclNamer): string {
  const body: HclBody = [
    ["count", raw(`var.${name("create_pool")} ? 1 : 0`)],
    ["project", projectNumber],
    ["workload_identity_pool_id", poolId],
  ];
  return hclBlock("resource", ["google_iam_workload_identity_pool", name("pool")], body);
}

function providerBlock(plan: GcpTrustPlan, name: HclNamer): string {
  return hclBlock(
    "resource",
    ["google_iam_workload_identity_pool_provider", name("issuer")],
    [
      ["count", raw(`var.${name("create_provider")} ? 1 : 0`)],
      ["project", plan.projectNumber],
      ["workload_identity_pool_id", plan.poolId],
      ["workload_identity_pool_provider_id", plan.providerId],
      ["attribute_mapping", { "google.subject": plan.subjectExpression }],
      ["attribute_condition", plan.condition],
      ["depends_on", [raw(`google_iam_workload_identity_pool.${name("pool")}`)]],
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

function principalBlocks({ serviceAccount: account, principal }: GcpTrustPlan, name: HclNamer): string[] {
  if (account === undefined) return [];
  return accountBlocks({ account, principal, label: "profile", what: "service_account", name });
}

function bucketBlocks({ buckets, grantee, serviceAccount, givesForLease }: GcpTrustPlan, name: HclNamer): string[] {
  if (buckets.length === 0) return givesForLease ? [] : [`${FILL_IN}\n# member: ${grantee}`];
  const after: HclBody =
    serviceAccount?.projectId === undefined ? [] : [["depends_on", [raw(`google_service_account.${name("profile")}`)]]];
  return buckets.map(({ bucket, role }, index) =>
    hclBlock(
      "resource",
      ["google_storage_bucket_iam_member", name(`bucket_${index + 1}`)],
      [["bucket", bucket], ["role", role], ["member", grantee], ...after],
    ),
  );
}
