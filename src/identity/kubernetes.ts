import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import { readVariable } from "./audience-variables.js";
import { isFor } from "./peek-claims.js";
import { findProjectedTokens, OWN_TOKEN_FILE, POD_VARIABLE, TOKEN_DIR, TOKEN_VARIABLES } from "./projected-tokens.js";
import { readTokenFile, type TokenFile } from "./read-token-file.js";
import type { Detection, IdentitySource, TokenCandidate } from "./source.js";
import { makeVisible } from "./visible-text.js";

/**
 * The identity of a pod: the service account tokens that Kubernetes projects into it, one an audience, wherever
 * EKS, AKS, Google's instructions and the Kubernetes documentation have them. They are read anew for each use,
 * since the kubelet renews them.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account
 */
export const kubernetesSource: IdentitySource = {
  name: "kubernetes",
  supply: "rotated",
  advice: {
    whenAudienceMissing: (audience) => `project a token for it into the pod: ${projectedVolume(audience)}`,
    whenExpired:
      "the kubelet renews a projected token long before it ends: see that the file is mounted without `subPath`, and that the node works",
  },
  detect,
  variables: () => TOKEN_VARIABLES,
  obtainTokens: async ({ audiences }, runtime) => {
    const { candidates, failures } = readAll(findProjectedTokens(runtime), runtime);
    const isServed = candidates.some(({ token }) => isFor(token.reveal(), audiences));
    // A file that could not be read may be the very one.
    if (!isServed && failures[0] !== undefined) throw failures[0];
    if (candidates.length > 0) return candidates;
    throw new AgentctlError("NO_IDENTITY", "this pod has no service account token", {
      hint: `project one into it: ${projectedVolume(audiences[0])}`,
    });
  },
};

function detect(runtime: Runtime): Detection {
  const variable = TOKEN_VARIABLES.find((name) => readVariable(runtime.env, name) !== undefined);
  if (variable !== undefined) return { found: true, reason: `${variable} is set` };
  if (readVariable(runtime.env, POD_VARIABLE) === undefined) {
    return { found: false, reason: "this is not a Kubernetes pod" };
  }
  const [first] = findProjectedTokens(runtime);
  const hint = `project a token for each cloud into it: ${projectedVolume("sts.amazonaws.com")}`;
  if (first === undefined) return { found: false, reason: "this pod has no service account token", hint };
  if (first.file !== OWN_TOKEN_FILE) return { found: true, reason: `${first.file} is there` };
  if (isRunnerPod(runtime)) {
    return { found: false, reason: "this pod's own token is the CI runner's, not the job's" };
  }
  return { found: true, reason: `this is a pod, with ${OWN_TOKEN_FILE}` };
}

/** In a CI job's pod, the account whose token is mounted without asking is that of the runner. */
function isRunnerPod({ env }: Pick<Runtime, "env">): boolean {
  return ["GITLAB_CI", "GITHUB_ACTIONS"].some((name) => readVariable(env, name) !== undefined);
}

interface ReadFiles {
  readonly candidates: readonly TokenCandidate[];
  readonly failures: readonly AgentctlError[];
}

function readAll(files: readonly TokenFile[], runtime: Runtime): ReadFiles {
  const candidates: TokenCandidate[] = [];
  const failures: AgentctlError[] = [];
  for (const file of files) {
    try {
      candidates.push(readTokenFile(file, runtime));
    } catch (error) {
      if (!(error instanceof AgentctlError)) throw error;
      failures.push(error);
    }
  }
  return { candidates, failures };
}

/** In one line, for a hint: the volume, and where it is to be mounted. */
function projectedVolume(audience: string): string {
  const token = `{ serviceAccountToken: { path: ${nameOf(audience)}, audience: "${makeVisible(audience)}" } }`;
  return `\`volumes: [{ name: tokens, projected: { sources: [${token}] } }]\`, mounted at ${TOKEN_DIR}`;
}

/** A file name that a reader would know the audience by. */
function nameOf(audience: string): string {
  const name = path
    .basename(audience)
    .replace(/[^\w-]+/g, "-")
    .slice(0, 40);
  return name === "" ? "token" : name;
}
