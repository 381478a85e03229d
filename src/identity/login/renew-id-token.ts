import * as oidc from "openid-client";
import { AgentctlError } from "../../core/errors.js";
import type { Runtime } from "../../core/runtime.js";
import { Secret } from "../../core/secret.js";
import { makeVisible } from "../visible-text.js";
import { withLogin } from "./login-lock.js";
import type { LoginRecord } from "./login-record.js";
import { findSecret, keepSecret, logInAgain } from "./login-secret.js";
import { openStore } from "./open-store.js";
import { discoverProvider, type Tokens } from "./provider.js";
import { explainProviderFailure } from "./provider-failure.js";

/**
 * An ID token of a login: a new one, by its refresh token; where there is none, the one that is kept. One process at a
 * time, since a provider may take each refresh token once (RFC 9700 §4.14.2); the next one is kept before anything is
 * done with the answer.
 * @throws {AgentctlError} NO_IDENTITY, IDENTITY_DENIED, KEYCHAIN_UNUSABLE, STATE_UNWRITABLE, LOCK_HELD, BAD_ANSWER,
 *   TOKEN_EXPIRED, UNREACHABLE, THROTTLED, SERVICE_FAILED
 */
export async function renewIdToken(record: LoginRecord, runtime: Runtime): Promise<Secret> {
  return withLogin(record.name, () => renewAlone(record, runtime), runtime);
}

async function renewAlone(record: LoginRecord, runtime: Runtime): Promise<Secret> {
  const { name, issuer, clientId } = record;
  const store = await openStore(record.store, runtime);
  const secret = await findSecret(record, store);
  const { refreshToken, idToken } = secret;
  if (refreshToken === undefined) {
    if (idToken !== undefined) return idToken;
    throw new AgentctlError("NO_IDENTITY", `the login ${name} holds no token`, { hint: logInAgain(name) });
  }
  const config = await discoverProvider({ ...record, ...secret }, runtime);
  let tokens: Tokens;
  try {
    tokens = await oidc.refreshTokenGrant(config, refreshToken.reveal(), { scope: record.scopes.join(" ") });
  } catch (thrown) {
    const renewHint = logInAgain(name);
    throw explainProviderFailure(thrown, {
      issuer,
      clientId,
      doing: "renew the login",
      renewHint,
      secrets: Object.values(secret),
    });
  }
  if (tokens.refresh_token !== undefined && tokens.refresh_token !== refreshToken.reveal()) {
    await keepSecret(record, { ...secret, refreshToken: new Secret(tokens.refresh_token) }, store);
  }
  return readIdToken(tokens, record);
}

/** OpenID Connect Core §12.2: the issuer is checked by openid-client; the subject has to be the one that logged in. */
function readIdToken(tokens: Tokens, { name, subject }: LoginRecord): Secret {
  const claims = tokens.claims();
  if (claims === undefined || tokens.id_token === undefined) {
    throw new AgentctlError("BAD_ANSWER", "the provider renewed the login and gave no ID token", {
      hint: `it may give one only with the scope openid: agentctl login ${name} --scope openid --scope offline_access`,
    });
  }
  if (claims.sub === subject) return new Secret(tokens.id_token);
  throw new AgentctlError(
    "IDENTITY_DENIED",
    `the login ${name} is that of ${makeVisible(subject)}, and its provider gave a token of ${makeVisible(claims.sub)}`,
    { hint: logInAgain(name) },
  );
}
