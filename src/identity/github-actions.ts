import { AgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import { askTokenService } from "./ask-token-service.js";
import { readVariable } from "./audience-variables.js";
import type { Detection, IdentitySource } from "./source.js";

const URL_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

const SERVICE = {
  name: "GitHub's token service",
  hintWhenDenied: "give the job `permissions: id-token: write`, and run agentctl while the job runs",
};
const PERMISSION_HINT =
  "give the job `permissions: id-token: write` (a pull request from a fork does not get it, whatever its workflow says)";

/**
 * The identity of a GitHub Actions job: a token is minted for each audience.
 * Source: https://docs.github.com/actions/reference/security/oidc
 */
export const githubActionsSource: IdentitySource = {
  name: "github-actions",
  supply: "minted",
  detect: ({ env }) => detect(readVariable(env, URL_VARIABLE), readVariable(env, TOKEN_VARIABLE), env),
  variables: () => [URL_VARIABLE, TOKEN_VARIABLE],
  obtainTokens: async ({ audiences: [audience] }, runtime) => {
    const bearer = readVariable(runtime.env, TOKEN_VARIABLE) ?? "";
    const request = {
      url: requestUrl(audience, runtime),
      headers: { accept: "application/json", authorization: `bearer ${bearer}` },
    };
    const token = readValue(await askTokenService(request, SERVICE, runtime));
    return [{ token, origin: "the token from GitHub Actions" }];
  },
};

function detect(url: string | undefined, token: string | undefined, env: Runtime["env"]): Detection {
  if (url !== undefined && token !== undefined) return { found: true, reason: `${URL_VARIABLE} is set` };
  const missing = url === undefined ? URL_VARIABLE : TOKEN_VARIABLE;
  if (url !== undefined || token !== undefined || readVariable(env, "GITHUB_ACTIONS") === "true") {
    return { found: false, reason: `this GitHub Actions job has no ${missing}`, hint: PERMISSION_HINT };
  }
  return { found: false, reason: "this is not a GitHub Actions job" };
}

/** The address has a query already, so the audience joins it rather than starting one. */
function requestUrl(audience: string, { env }: Runtime): string {
  const text = readVariable(env, URL_VARIABLE) ?? "";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isSafe(url)) {
    throw new AgentctlError("ENDPOINT_INVALID", `${URL_VARIABLE} is not an https:// address`, {
      hint: "GitHub sets it for each job; a job must not set it itself",
    });
  }
  url.searchParams.set("audience", audience);
  return url.href;
}

/** The request carries a bearer token, so it leaves this machine encrypted or not at all. */
function isSafe(url: URL): boolean {
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}

/** Keeps no cause: what a JSON parser says about an answer quotes it, and a token may be in it. */
function readValue(body: string): Secret {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new AgentctlError("BAD_ANSWER", `${SERVICE.name} gave an answer that is not JSON`);
  }
  const value = typeof answer === "object" && answer !== null && "value" in answer ? answer.value : undefined;
  if (typeof value === "string" && value !== "") return new Secret(value);
  throw new AgentctlError("BAD_ANSWER", `${SERVICE.name} gave an answer without a token`);
}
