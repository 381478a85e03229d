import type { EndpointAnswer, EndpointQuestion, EndpointRefusal, RefusalReason } from "../../core/endpoint.js";
import type { Grant } from "../../core/lease.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { grantSecret } from "../grant-secret.js";
import { scopesRefused } from "./scopes.js";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

/** RFC 6749, 5.2, which Google's STS answers with. The libraries try again on 5xx alone. */
const REFUSALS: Readonly<Record<RefusalReason, { readonly status: number; readonly error: string }>> = {
  unauthorized: { status: 401, error: "invalid_client" },
  stranger: { status: 403, error: "access_denied" },
  "unknown-path": { status: 404, error: "invalid_request" },
  "bad-request": { status: 400, error: "invalid_request" },
  scope: { status: 400, error: "invalid_scope" },
  "lease-ended": { status: 400, error: "invalid_grant" },
  unavailable: { status: 503, error: "temporarily_unavailable" },
};

/** The grant's token, as Google's STS answers a token exchange (RFC 8693): always with the profile's scopes. */
export function answerToken(
  { method, body }: EndpointQuestion,
  grant: Grant,
  { scopes }: Pick<GcpSettings, "scopes">,
  runtime: Pick<Runtime, "now">,
): EndpointAnswer | EndpointRefusal {
  const form = new URLSearchParams(body);
  if (method !== "POST" || form.get("grant_type") !== TOKEN_EXCHANGE) {
    return { reason: "bad-request", message: "a token is asked for with POST and the token exchange's grant_type" };
  }
  const asked = (form.get("scope") ?? "").split(/\s+/).filter((scope) => scope !== "");
  const refused = scopesRefused(asked, scopes);
  if (refused !== undefined) return { reason: "scope", message: refused };
  return answerJson(200, {
    ...bearerOf(grant, runtime),
    issued_token_type: ACCESS_TOKEN,
    scope: scopes.join(" "),
  });
}

/** What every one of Google's token services answers with; `expires_in` is never 0, which some take for no end at all. */
export function bearerOf(grant: Grant, runtime: Pick<Runtime, "now">) {
  const { value, usableUntil } = grantSecret(grant, "token");
  const expiresIn = Math.max(1, Math.floor((usableUntil - runtime.now()) / 1000));
  return { access_token: value.reveal(), expires_in: expiresIn, token_type: "Bearer" };
}

/** A refusal in the words of OAuth, which Google's libraries show. */
export function refuseToken({ reason, message }: EndpointRefusal): EndpointAnswer {
  const { status, error } = REFUSALS[reason];
  return answerJson(status, { error, error_description: `agentctl: ${message}` });
}

function answerJson(status: number, value: unknown): EndpointAnswer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
