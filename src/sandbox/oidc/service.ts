import { isSameSecret } from "../../core/constant-time.js";
import { queryValue, type Service, type ServiceAnswer, type ServiceRequest, type TakeNotes } from "../service.js";
import { WireError } from "../wire-error.js";
import type { OidcIssuer } from "./issuer.js";
import type { Platform } from "./platforms.js";

/** The path of GitHub's request URL; like GitHub's it comes with a query already. */
export const TOKEN_REQUEST_PATH = "/idtoken/run/job";
export const TOKEN_REQUEST_QUERY = "api-version=2.0";

/**
 * Discovery and JWKS, and with `requestToken` GitHub's way of handing out tokens, to whoever holds it: other
 * platforms lay theirs out beforehand.
 */
export function createOidcService(issuer: OidcIssuer, platform: Platform, requestToken?: string): Service {
  const operations: Readonly<Record<string, string>> = {
    "/.well-known/openid-configuration": "discovery",
    [platform.jwksPath]: "jwks",
    ...(requestToken !== undefined && { [TOKEN_REQUEST_PATH]: "token" }),
  };
  return {
    name: "oidc",
    nameOperation: (request) => operations[request.path] ?? "unknown",
    answer: async (request, operation, note) => {
      if (operation === "unknown") throw new WireError(404, "NotFound", "not found");
      if (request.method !== "GET") throw new WireError(405, "MethodNotAllowed", "use GET");
      if (operation === "discovery") return json(discoveryOf(issuer.issuer, platform.jwksPath));
      if (operation === "jwks") return json(issuer.jwks);
      return handOut(issuer, requestToken ?? "", request, note);
    },
    refuse: (error) => json({ message: error.message, typeKey: error.code }, error.status),
  };
}

async function handOut(
  issuer: OidcIssuer,
  requestToken: string,
  request: ServiceRequest,
  note: TakeNotes,
): Promise<ServiceAnswer> {
  const [scheme = "", bearer = ""] = (request.headers["authorization"] ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !isSameSecret(bearer, requestToken)) {
    throw new WireError(401, "Unauthorized", "the request token is not valid for this job");
  }
  if (queryValue(request, "api-version") === undefined) {
    throw new WireError(400, "BadRequest", "the request URL's own query was lost");
  }
  const audience = queryValue(request, "audience") ?? "https://github.com/acme";
  note({ parameters: { audience } });
  const value = await issuer.mintToken({ audience });
  return json({ count: value.length, value });
}

function discoveryOf(issuer: string, jwksPath: string): Record<string, unknown> {
  return {
    issuer,
    jwks_uri: `${issuer}${jwksPath}`,
    subject_types_supported: ["public", "pairwise"],
    response_types_supported: ["id_token"],
    claims_supported: ["sub", "aud", "exp", "iat", "iss", "jti", "nbf", "ref", "repository", "repository_id"],
    id_token_signing_alg_values_supported: ["RS256"],
    scopes_supported: ["openid"],
  };
}

function json(value: unknown, status = 200): ServiceAnswer {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(value) };
}
