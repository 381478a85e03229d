import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Runtime } from "../../core/runtime.js";
import { gitlabVariables } from "../gitlab/variables.js";
import { projectTokens } from "../kubernetes/projected-tokens.js";
import type { WorldDefinition } from "../world.js";
import { cloudAudiences } from "./audiences.js";
import { TOKEN_REQUEST_PATH, TOKEN_REQUEST_QUERY } from "./service.js";
import type { TrustedIssuer } from "./trusted-issuer.js";

/** How the caller comes by its tokens. */
export interface HandedOutIdentity {
  /** What the platform sets for it. */
  readonly variables: Readonly<Record<string, string>>;
  /** On GitHub: what has to be shown to be given a token. */
  readonly requestToken?: string;
  /** On Kubernetes: puts new tokens in the place of the old. Elsewhere there is nothing to do. */
  rotateTokens(): Promise<void>;
}

/** Lays out what the world's platform lays out for a caller: an address to ask, tokens, or files of tokens under `dir`. */
export async function handOutIdentity(
  world: WorldDefinition,
  issuer: TrustedIssuer,
  dir: string,
  host: Pick<Runtime, "fs">,
): Promise<HandedOutIdentity> {
  switch (world.platform) {
    case "github":
      return requestUrl(issuer);
    case "gitlab":
      return { variables: await gitlabVariables(issuer, cloudAudiences(world, issuer)), rotateTokens: nothing };
    case "kubernetes": {
      const tokens = await projectTokens(issuer, cloudAudiences(world, issuer), path.join(dir, "tokens"), host);
      return { variables: tokens.variables, rotateTokens: tokens.rotate };
    }
  }
}

function requestUrl(issuer: TrustedIssuer): HandedOutIdentity {
  const requestToken = randomBytes(32).toString("base64url");
  const variables = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer.issuer}${TOKEN_REQUEST_PATH}?${TOKEN_REQUEST_QUERY}`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
  };
  return { variables, requestToken, rotateTokens: nothing };
}

async function nothing(): Promise<void> {}
