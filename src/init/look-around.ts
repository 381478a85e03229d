import path from "node:path";
import { loadProfile } from "../config/index.js";
import { CLOUD_NAMES, type CloudName, type Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { findCloudValues } from "./find-cloud-values.js";
import { findGit, type GitFacts } from "./find-git.js";
import { keepValid, VALUE_KINDS, type Values } from "./values.js";

export const CI_NAMES = ["github", "gitlab"] as const;
export type CiName = (typeof CI_NAMES)[number];

/** What there is to start from. */
export interface Surroundings {
  /** Where the files go: the repository's root, else the working directory. Absolute. */
  readonly root: string;
  readonly isRepository: boolean;
  readonly branch: string;
  readonly ci?: CiName;
  readonly values: Values;
  /** The clouds of which something was found. */
  readonly clouds: readonly CloudName[];
}

/** The name that the sandbox's sample configuration gives its profile. */
const SANDBOX_PROFILE = "demo";

export function lookAround(runtime: Runtime): Surroundings {
  const git = findGit(runtime);
  const root = git?.root ?? runtime.cwd;
  const ci = findCi(root, git, runtime);
  const values = { ...findCloudValues(runtime), ...findSandboxValues(runtime) };
  const clouds = CLOUD_NAMES.filter((cloud) => VALUE_KINDS.some((kind) => kind.cloud === cloud && values[kind.key]));
  return {
    root,
    isRepository: git !== undefined,
    branch: git?.branch ?? "main",
    ...(ci !== undefined && { ci }),
    values,
    clouds,
  };
}

/** By what is there already, then by where the repository lives. */
function findCi(root: string, git: GitFacts | undefined, { fs, env }: Runtime): CiName | undefined {
  if (fs.existsSync(path.join(root, ".gitlab-ci.yml"))) return "gitlab";
  if (fs.existsSync(path.join(root, ".github"))) return "github";
  const named = CI_NAMES.find((name) => git?.host?.split(".").some((part) => part === name));
  if (named !== undefined) return named;
  if (env["GITLAB_CI"] !== undefined) return "gitlab";
  return env["GITHUB_ACTIONS"] === undefined ? undefined : "github";
}

/** Inside `agentctl sandbox` what is at hand is what its sample profile names. */
function findSandboxValues(runtime: Runtime): Values {
  if (runtime.env["AGENTCTL_SANDBOX_CONTROL_URL"] === undefined) return {};
  try {
    return valuesOf(loadProfile({ profileName: SANDBOX_PROFILE }, runtime));
  } catch {
    return {};
  }
}

function valuesOf({ clouds: { aws, azure, gcp } }: Profile): Values {
  return keepValid({
    role_arn: aws?.roleArn,
    region: aws?.region,
    tenant_id: azure?.tenantId,
    client_id: azure?.clientId,
    subscription_id: azure?.subscriptionId,
    workload_identity_provider: gcp?.workloadIdentityProvider,
    service_account: gcp?.serviceAccount,
    project_id: gcp?.projectId,
  });
}
