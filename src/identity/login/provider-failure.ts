import * as oidc from "openid-client";
import { AgentctlError, toAgentctlError } from "../../core/errors.js";
import { scrub } from "../../core/scrub.js";
import type { Secret } from "../../core/secret.js";
import { makeVisible } from "../visible-text.js";

/** What was being done when it failed. */
export interface ProviderQuestion {
  readonly issuer: string;
  readonly clientId: string;
  /** Completes "the identity provider could not …". */
  readonly doing: string;
  /** What to do about a refused refresh token; absent while one logs in. */
  readonly renewHint?: string;
  /** What was sent: a provider may repeat it in its refusal. */
  readonly secrets?: readonly (Secret | undefined)[];
}

/** In OAuth's own words (RFC 6749 §5.2, RFC 8628 §3.5), what a refusal means for whoever runs agentctl. */
const REFUSALS: Readonly<Record<string, { readonly message: string; readonly hint: string }>> = {
  access_denied: { message: "the login was denied", hint: "log in again, and consent" },
  expired_token: { message: "the login was not finished in time", hint: "log in again" },
  invalid_client: {
    message: "the provider does not know this client, or wants its secret",
    hint: "check --client-id; a client with a secret takes it from a variable: --client-secret-env NAME",
  },
  unauthorized_client: {
    message: "this client may not log in this way",
    hint: "register it as a native (public) client with the authorization code and, for --device, the device code grant",
  },
  invalid_scope: { message: "the provider does not know one of the scopes", hint: "name others with --scope" },
  invalid_redirect_uri: {
    message: "the redirect address is not registered",
    hint: "register http://127.0.0.1/callback",
  },
};

/**
 * A failure of openid-client in agentctl's words. Keeps no cause: it holds what the provider answered, tokens included.
 */
export function explainProviderFailure(thrown: unknown, question: ProviderQuestion): AgentctlError {
  const own = findOwn(thrown);
  if (own !== undefined) return own;
  if (thrown instanceof oidc.ResponseBodyError || thrown instanceof oidc.AuthorizationResponseError) {
    return refused(thrown.error, thrown.error_description, question);
  }
  const code = codeOf(thrown);
  if (code === "" && !(thrown instanceof oidc.ClientError)) return toAgentctlError(thrown);
  if (code === "OAUTH_TIMEOUT") return refused("expired_token", undefined, question);
  if (code === "OAUTH_JWT_TIMESTAMP_CHECK_FAILED") return wrongTime();
  const why = SENSELESS[code] ?? "its answer makes no sense";
  return new AgentctlError("BAD_ANSWER", `the identity provider could not ${question.doing}: ${why}`, {
    hint: `see that ${makeVisible(question.issuer)} is the issuer of an OpenID provider: its /.well-known/openid-configuration says so`,
    facts: { issuer: makeVisible(question.issuer) },
  });
}

/** By openid-client's codes (oauth4webapi). */
const SENSELESS: Readonly<Record<string, string>> = {
  OAUTH_RESPONSE_IS_NOT_JSON: "its answer is not JSON",
  OAUTH_PARSE_ERROR: "its answer is not JSON",
  OAUTH_RESPONSE_IS_NOT_CONFORM: "it answered with another HTTP status than such a provider does",
  OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: "it says that it is another issuer",
  OAUTH_JWT_CLAIM_COMPARISON_FAILED: "its ID token is of another issuer, client or login",
  OAUTH_KEY_SELECTION_FAILED: "none of its published keys signed the ID token",
  OAUTH_MISSING_SERVER_METADATA: "it does not say where",
  OAUTH_INVALID_SERVER_METADATA: "it does not say where",
  OAUTH_HTTP_REQUEST_FORBIDDEN: "it names an address that does not begin with https://",
};

function refused(error: string, description: string | undefined, question: ProviderQuestion): AgentctlError {
  const known = REFUSALS[error];
  const secrets = (question.secrets ?? []).filter((secret) => secret !== undefined);
  const said = makeVisible(scrub(description === undefined ? error : `${error}: ${description}`, secrets));
  const issuer = makeVisible(question.issuer);
  const message =
    question.renewHint === undefined
      ? `${known?.message ?? "the provider refused the login"} (${said})`
      : `the provider no longer gives an ID token for this login (${said})`;
  return new AgentctlError("IDENTITY_DENIED", message, {
    hint: question.renewHint ?? known?.hint ?? "look in the provider's log for the reason",
    facts: { error: makeVisible(scrub(error, secrets)), issuer, clientId: makeVisible(question.clientId) },
  });
}

function wrongTime(): AgentctlError {
  return new AgentctlError("TOKEN_EXPIRED", "the ID token that the provider just made is not valid now", {
    hint: "this machine's clock is probably wrong: set it and try again",
  });
}

/** What our own fetch threw, wherever the library put it. */
function findOwn(thrown: unknown): AgentctlError | undefined {
  if (thrown instanceof AgentctlError) return thrown;
  return thrown instanceof Error && thrown.cause !== undefined ? findOwn(thrown.cause) : undefined;
}

function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error ? (thrown as { readonly code?: unknown }).code : undefined;
  return typeof code === "string" ? code : "";
}
