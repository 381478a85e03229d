import { jsonAnswer } from "../json-answer.js";
import { queryValue, type Service, type ServiceRequest } from "../service.js";
import { WireError } from "../wire-error.js";
import type { GcpContext } from "./context.js";
import { GOOGLE_FAILURES, googleApiRefusal } from "./google-error.js";
import { nameOf } from "./principal.js";

const PATH = /^\/(?:oauth2\/v[13]\/)?tokeninfo$/;

/** What Google tells about an access token to whoever holds it. */
export function createTokenInfoService(context: GcpContext): Service {
  return {
    name: "tokeninfo",
    failures: GOOGLE_FAILURES,
    nameOperation: ({ path }) => (PATH.test(path) ? "TokenInfo" : "unknown"),
    answer: async (request, _operation, note) => {
      const access = context.tokens.find(readToken(request));
      const secondsLeft = ((access?.expiresAt ?? 0) - context.now("tokeninfo")) / 1000;
      if (access === undefined || secondsLeft <= 0) throw new WireError(400, "invalid_token", "Invalid Value");
      note({ principal: nameOf(access.principal) });
      const { principal } = access;
      return jsonAnswer({
        ...(principal.kind === "service account" && { azp: idOf(principal.email), aud: idOf(principal.email) }),
        scope: access.scopes.join(" "),
        exp: String(Math.floor(access.expiresAt / 1000)),
        expires_in: String(Math.floor(secondsLeft)),
        ...(principal.kind === "service account" && { email: principal.email, email_verified: "true" }),
        access_type: "online",
      });
    },
    refuse: (error) =>
      error.code === "invalid_token"
        ? jsonAnswer({ error: error.code, error_description: error.message }, error.status)
        : googleApiRefusal(error),
  };
}

function readToken(request: ServiceRequest): string {
  const inBody = new URLSearchParams(request.body.toString("utf8")).get("access_token");
  return queryValue(request, "access_token") ?? inBody ?? "";
}

/** A service account's number, made of its name. */
function idOf(email: string): string {
  return `1${Buffer.from(email).toString("hex").replace(/\D/g, "").padEnd(20, "0").slice(0, 20)}`;
}
