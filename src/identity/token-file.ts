import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import { detectVariables, listFittingVariables, listVariables, readVariable } from "./audience-variables.js";
import { readTokenFile } from "./read-token-file.js";
import type { IdentitySource, TokenCandidate } from "./source.js";

const BASE = "AGENTCTL_TOKEN_FILE";

/**
 * Any OIDC ID token in the file that `AGENTCTL_TOKEN_FILE` (or `…_AWS|_AZURE|_GCP`) names. It is read
 * anew for each use, since whoever projects such files also rotates them.
 */
export const tokenFileSource: IdentitySource = {
  name: "token-file",
  supply: "rotated",
  detect: (runtime) => detectVariables(BASE, runtime.env),
  variables: () => listVariables(BASE),
  obtainTokens: async (request, runtime) => {
    const candidates: TokenCandidate[] = [];
    const variables = listFittingVariables(BASE, request);
    for (const variable of variables) {
      const named = readVariable(runtime.env, variable);
      if (named === undefined) continue;
      const hint = `let ${variable} name a file that holds an OIDC token and that this user may read`;
      candidates.push(readTokenFile({ file: path.resolve(runtime.cwd, named), variable, hint }, runtime));
    }
    if (candidates.length > 0) return candidates;
    throw new AgentctlError("NO_IDENTITY", `no OIDC token: ${variables.join(" and ")} are not set`, {
      hint: `let ${variables[0]} name a file with a token for the audience "${request.audiences[0]}"`,
    });
  },
};
