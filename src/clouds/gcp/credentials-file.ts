import { createHmac } from "node:crypto";
import type { EndpointPlace } from "../../core/endpoint.js";
import type { GcpSettings } from "../../core/profile.js";
import { Secret } from "../../core/secret.js";
import { exchangeAudienceOf } from "./provider.js";

export const SUBJECT_PATH = "/subject";
export const TOKEN_PATH = "/token";

/** Not `Authorization`: Google's library for Java has a field of another type for that. */
export const SECRET_HEADER = "x-agentctl-secret";

/** What the library fetches at SUBJECT_PATH and trades at TOKEN_PATH: of the lease, and good for nothing elsewhere. */
export function subjectTokenOf(place: EndpointPlace): string {
  return createHmac("sha256", place.secret.reveal())
    .update("the subject of Google's token exchange")
    .digest("base64url");
}

/**
 * An external account (https://google.aip.dev/auth/4117) whose every URL is the lease's endpoint: Google's libraries
 * fetch a subject token there, and trade it there for the grant. Without an impersonation URL they ask nobody else.
 */
export function credentialsFile(settings: GcpSettings, place: EndpointPlace): Secret {
  const account = {
    type: "external_account",
    audience: exchangeAudienceOf(settings),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${place.url}${TOKEN_PATH}`,
    credential_source: {
      url: `${place.url}${SUBJECT_PATH}`,
      headers: { [SECRET_HEADER]: place.secret.reveal() },
      format: { type: "text" },
    },
  };
  return new Secret(`${JSON.stringify(account, null, 2)}\n`);
}
