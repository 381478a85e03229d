import { AgentctlError } from "../core/errors.js";
import { Secret } from "../core/secret.js";
import { detectVariables, listFittingVariables, listVariables, readVariable } from "./audience-variables.js";
import type { IdentitySource, TokenCandidate } from "./source.js";

const BASE = "AGENTCTL_ID_TOKEN";

/** Any OIDC ID token in `AGENTCTL_ID_TOKEN`, or one for each cloud in `AGENTCTL_ID_TOKEN_AWS|_AZURE|_GCP`. */
export const envSource: IdentitySource = {
  name: "env",
  supply: "fixed",
  detect: (runtime) => detectVariables(BASE, runtime.env),
  variables: () => listVariables(BASE),
  obtainTokens: async (request, runtime) => {
    const candidates: TokenCandidate[] = [];
    const variables = listFittingVariables(BASE, request);
    for (const variable of variables) {
      const value = readVariable(runtime.env, variable);
      if (value !== undefined) candidates.push({ token: new Secret(value), origin: `the token in ${variable}` });
    }
    if (candidates.length > 0) return candidates;
    throw new AgentctlError("NO_IDENTITY", `no OIDC token: ${variables.join(" and ")} are not set`, {
      hint: `put a token for the audience "${request.audiences[0]}" into ${variables[0]}`,
    });
  },
};
