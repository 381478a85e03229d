import { constants } from "node:fs";
import path from "node:path";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import { detectVariables, listFittingVariables, listVariables, readVariable } from "./audience-variables.js";
import type { IdentitySource, TokenCandidate } from "./source.js";

const BASE = "AGENTCTL_TOKEN_FILE";
const MAX_TOKEN_BYTES = 64 * 1024;

/**
 * Any OIDC ID token in the file that `AGENTCTL_TOKEN_FILE` (or `…_AWS|_AZURE|_GCP`) names. It is read
 * anew for each use, since whoever projects such files also rotates them.
 */
export const tokenFileSource: IdentitySource = {
  name: "token-file",
  mints: false,
  detect: (runtime) => detectVariables(BASE, runtime.env),
  variables: () => listVariables(BASE),
  obtainTokens: async (request, runtime) => {
    const candidates: TokenCandidate[] = [];
    const variables = listFittingVariables(BASE, request);
    for (const variable of variables) {
      const file = readVariable(runtime.env, variable);
      if (file !== undefined) candidates.push(readTokenFile(variable, path.resolve(runtime.cwd, file), runtime));
    }
    if (candidates.length > 0) return candidates;
    throw new AgentctlError("NO_IDENTITY", `no OIDC token: ${variables.join(" and ")} are not set`, {
      hint: `let ${variables[0]} name a file with a token for the audience "${request.audience}"`,
    });
  },
};

function readTokenFile(variable: string, file: string, runtime: Runtime): TokenCandidate {
  const token = readSmallFile(variable, file, runtime).trim();
  if (token === "") {
    throw new AgentctlError("TOKEN_MALFORMED", `the token file ${file} (${variable}) is empty`, {
      hint: "see that what writes it has run",
    });
  }
  return { token: new Secret(token), origin: `the token in ${file} (${variable})` };
}

/** A symlink is followed, since Kubernetes projects its tokens as symlinks; O_NONBLOCK lets no named pipe hold us up. */
function readSmallFile(variable: string, file: string, runtime: Runtime): string {
  const { fs } = runtime;
  try {
    const fd = fs.openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile()) throw unusableFile(variable, file, "it is not a regular file");
      if (stat.size > MAX_TOKEN_BYTES) {
        throw unusableFile(variable, file, `it has ${stat.size} bytes, and no token is longer than ${MAX_TOKEN_BYTES}`);
      }
      const buffer = Buffer.alloc(MAX_TOKEN_BYTES);
      return buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, MAX_TOKEN_BYTES, 0));
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (error instanceof AgentctlError) throw error;
    // What is a link elsewhere is here a loop of links, since links are followed.
    const why = systemErrorCode(error) === "ELOOP" ? "its symbolic links go in a circle" : explainSystemError(error);
    throw unusableFile(variable, file, why, error);
  }
}

function unusableFile(variable: string, file: string, why: string, cause?: unknown): AgentctlError {
  return new AgentctlError("NO_IDENTITY", `cannot read the token file ${file}: ${why}`, {
    hint: `let ${variable} name a file that holds an OIDC token and that this user may read`,
    cause,
  });
}
