import { AgentctlError } from "../core/errors.js";
import type { Environment } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import { readVariable } from "./audience-variables.js";
import { peekClaims } from "./peek-claims.js";
import type { Detection, IdentitySource } from "./source.js";
import { makeVisible } from "./visible-text.js";

/**
 * The identity of a GitLab CI/CD job: the ID tokens that its `id_tokens` asks for, one an audience. The job names
 * their variables as it likes, so they are known by what they hold.
 * Source: https://docs.gitlab.com/ci/secrets/id_token_authentication
 */
export const gitlabSource: IdentitySource = {
  name: "gitlab",
  supply: "fixed",
  advice: {
    whenAudienceMissing: (audience) => `give the job a token for it: ${idTokens(audience)}`,
    whenExpired:
      "GitLab makes a job's ID tokens once, and none can be renewed in the job: raise the job's `timeout`, which is how long they last, or do this in a job of its own",
  },
  detect: ({ env }) => detect(env),
  variables: findTokenVariables,
  obtainTokens: async ({ audiences: [audience] }, { env }) => {
    const variables = findTokenVariables(env);
    if (variables.length === 0) {
      throw new AgentctlError("NO_IDENTITY", NO_TOKEN, { hint: `give it one: ${idTokens(audience)}` });
    }
    return variables.map((variable) => ({
      token: new Secret(readVariable(env, variable) ?? ""),
      origin: `the token in ${variable}`,
    }));
  },
};

const NO_TOKEN = "this GitLab CI job has no ID token";

function detect(env: Environment): Detection {
  if (readVariable(env, "GITLAB_CI") === undefined) return { found: false, reason: "this is not a GitLab CI job" };
  const [first] = findTokenVariables(env);
  if (first !== undefined) return { found: true, reason: `${first} holds a GitLab ID token` };
  return { found: false, reason: NO_TOKEN, hint: `give the job one for each cloud: ${idTokens("sts.amazonaws.com")}` };
}

function idTokens(audience: string): string {
  return `\`id_tokens: { ANY_NAME: { aud: "${makeVisible(audience)}" } }\` in .gitlab-ci.yml`;
}

/** The names, sorted, of the variables that hold a token with the claims that GitLab gives every job. */
function findTokenVariables(env: Environment): readonly string[] {
  const names = Object.keys(env).filter((name) => {
    const claims = peekClaims(readVariable(env, name) ?? "");
    return typeof claims?.["project_path"] === "string" && typeof claims["ref_protected"] === "string";
  });
  return names.sort();
}
