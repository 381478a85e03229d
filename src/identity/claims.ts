import type { Claims } from "../core/identity.js";
import { makeVisible } from "./visible-text.js";

/**
 * The claims worth policing and recording, by who issues them. A whitelist, since a token may hold anything.
 * Sources: each issuer's documentation of its ID tokens.
 */
const RECORDED_CLAIMS: readonly string[] = [
  // Any issuer (OpenID Connect Core §2, RFC 7519); `email` names a person or a Google service account.
  ...["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "amr", "auth_time", "email", "email_verified"],
  // GitHub: ids are for policing, since names can be given up and taken again; names are for the reader.
  ...["repository", "repository_id", "repository_owner_id", "repository_visibility", "ref", "ref_type"],
  ...["ref_protected", "head_ref", "base_ref", "sha", "environment", "environment_node_id", "event_name"],
  ...["workflow_ref", "workflow_sha", "job_workflow_ref", "job_workflow_sha", "runner_environment"],
  ...["actor", "actor_id", "run_id", "run_number", "run_attempt", "check_run_id", "enterprise_id"],
  // GitLab.
  ...["project_id", "project_path", "namespace_id", "namespace_path", "user_id", "user_login", "pipeline_id"],
  ...["pipeline_source", "job_id", "environment_protected", "deployment_tier", "ci_config_ref_uri", "ci_config_sha"],
  // Kubernetes service accounts (nested under `kubernetes.io`).
  ...["kubernetes.io.namespace", "kubernetes.io.pod.name", "kubernetes.io.pod.uid", "kubernetes.io.node.name"],
  ...["kubernetes.io.serviceaccount.name", "kubernetes.io.serviceaccount.uid"],
  // CircleCI.
  ...["oidc.circleci.com/project-id", "oidc.circleci.com/vcs-origin", "oidc.circleci.com/vcs-ref"],
  ...["oidc.circleci.com/context-ids", "oidc.circleci.com/ssh-rerun"],
  // Buildkite.
  ...["organization_slug", "pipeline_slug", "build_number", "build_branch", "build_commit", "step_key"],
  // Bitbucket.
  ...["repositoryUuid", "workspaceUuid", "pipelineUuid", "deploymentEnvironmentUuid", "branchName"],
  // Azure DevOps and Microsoft Entra.
  ...["org_id", "prj_id", "def_id", "rpo_id", "rpo_ref", "tid", "oid", "appid", "xms_mirid"],
  // HCP Terraform.
  ...["terraform_organization_id", "terraform_project_id", "terraform_workspace_id"],
  ...["terraform_run_id", "terraform_run_phase"],
  // Vercel and Fly.io.
  ...["owner_id", "external_sub", "app_id", "machine_id", "image_digest", "region"],
  // Google Compute Engine (nested under `google`).
  ...["google.compute_engine.project_id", "google.compute_engine.instance_id", "google.compute_engine.zone"],
  // Read by AWS as the session's source identity.
  "https://aws.amazon.com/source_identity",
];

/** GitHub's custom properties of a repository, whose names the organisation chooses. */
const RECORDED_PREFIX = "repo_property_";
const MAX_PREFIXED_CLAIMS = 20;
const MAX_LIST_ITEMS = 20;
const MAX_CLAIM_CHARACTERS = 1_024;

/** The claims of a token that are fit for the record, nested ones under dotted names; plain values and short lists only. */
export function selectClaims(payload: Claims): Claims {
  const prefixed = Object.keys(payload).filter((name) => name.startsWith(RECORDED_PREFIX));
  const names = [...RECORDED_CLAIMS, ...prefixed.slice(0, MAX_PREFIXED_CLAIMS)];
  const selected: [string, unknown][] = [];
  for (const name of names) {
    const value = toRecordable(findClaim(payload, name));
    if (value !== undefined) selected.push([makeVisible(name), value]);
  }
  return Object.fromEntries(selected);
}

/** A claim by its own name, or by a path through objects where keys may hold dots themselves, as `kubernetes.io` does. */
function findClaim(node: Claims, name: string): unknown {
  if (Object.hasOwn(node, name)) return node[name];
  for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) {
    const inner = Object.hasOwn(node, name.slice(0, dot)) ? node[name.slice(0, dot)] : undefined;
    if (isClaims(inner)) return findClaim(inner, name.slice(dot + 1));
  }
  return undefined;
}

function isClaims(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toRecordable(value: unknown): unknown {
  if (Array.isArray(value)) {
    const plain = value.map(toPlain);
    return plain.length > MAX_LIST_ITEMS || plain.includes(undefined) ? undefined : plain;
  }
  return toPlain(value);
}

function toPlain(value: unknown): string | number | boolean | undefined {
  if (typeof value === "string") return makeVisible(value, MAX_CLAIM_CHARACTERS);
  return typeof value === "number" || typeof value === "boolean" ? value : undefined;
}
