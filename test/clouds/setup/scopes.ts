import type { TrustCaller, TrustScope } from "../../../src/core/trust.js";
import { scopeTrust } from "../../../src/identity/trust-claims.js";

export const GITHUB = "https://token.actions.githubusercontent.com";

/** The claims of a job on the protected branch of a repository, as GitHub writes them. */
export const JOB: Readonly<Record<string, string>> = {
  repository: "acme/site",
  repository_id: "700000001",
  repository_owner_id: "600000001",
  ref: "refs/heads/main",
  ref_protected: "true",
  event_name: "push",
  job_workflow_ref: "acme/site/.github/workflows/deploy.yml@refs/heads/main",
};
export const SUBJECT = "repo:acme/site:ref:refs/heads/main";

/** What the trust in a caller is narrowed to: the job's, unless another is given. */
export function scopeOf(caller: Partial<TrustCaller> = {}, pins: readonly string[] = []): TrustScope {
  const job = { issuer: GITHUB, subject: SUBJECT, audience: "sts.amazonaws.com", claims: JOB, origin: "a test" };
  return scopeTrust({ ...job, ...caller }, pins);
}
