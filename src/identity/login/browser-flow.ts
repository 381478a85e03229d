import * as oidc from "openid-client";
import { AgentctlError } from "../../core/errors.js";
import type { Runtime } from "../../core/runtime.js";
import { type CallbackAnswer, openCallbackServer } from "./callback-server.js";
import { findBrowser, openBrowser } from "./open-browser.js";
import type { Tokens } from "./provider.js";
import type { Tell } from "./tell.js";

export interface BrowserFlowOptions {
  readonly scopes: readonly string[];
  /** 0: any that is free. */
  readonly port: number;
  /** Whether a browser is started, or only the address shown. */
  readonly opensBrowser: boolean;
}

/** Long enough to find one's second factor. */
const PATIENCE_MS = 5 * 60_000;

/**
 * The authorization code grant of a native application: PKCE, `state`, `nonce` and the loopback redirect (RFC 8252,
 * RFC 7636, RFC 9207).
 * @throws {AgentctlError} USAGE, IDENTITY_DENIED; and what openid-client throws
 */
export async function logInByBrowser(
  config: oidc.Configuration,
  { scopes, port, opensBrowser }: BrowserFlowOptions,
  tell: Tell,
  runtime: Pick<Runtime, "env" | "platform" | "spawn" | "sleep">,
): Promise<Tokens> {
  const checks = {
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
    idTokenExpected: true,
  };
  const server = await openCallbackServer(port, checks.expectedState, () =>
    tell("an answer that belongs to another login came in, and was not taken"),
  );
  try {
    const url = await buildUrl(config, server.redirectUri, scopes, checks);
    showAddress(url, opensBrowser, tell, runtime);
    return await exchange(config, await inTime(server.answer, runtime), checks);
  } finally {
    server.close();
  }
}

async function buildUrl(
  config: oidc.Configuration,
  redirectUri: string,
  scopes: readonly string[],
  checks: { readonly expectedState: string; readonly expectedNonce: string; readonly pkceCodeVerifier: string },
): Promise<string> {
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: "S256",
    // Without it a provider has to leave the refresh token out (OpenID Connect Core §11).
    ...(scopes.includes("offline_access") && { prompt: "consent" }),
  });
  return url.href;
}

function showAddress(
  url: string,
  opensBrowser: boolean,
  tell: Tell,
  runtime: Pick<Runtime, "env" | "platform" | "spawn">,
): void {
  const browser = findBrowser(runtime);
  if (!opensBrowser || "reason" in browser) {
    const port = new URL(new URL(url).searchParams.get("redirect_uri") ?? "").port;
    tell(`open this address; from another machine, forward the port first (ssh -L ${port}:127.0.0.1:${port}): ${url}`);
    return;
  }
  tell(`the browser opens; if it does not, open ${url}`);
  openBrowser(browser.command, url, () => tell(`${browser.command} could not open the browser`), runtime);
}

/** The code is used once, whatever comes of it, and only then the browser is answered. */
async function exchange(
  config: oidc.Configuration,
  answer: CallbackAnswer,
  checks: oidc.AuthorizationCodeGrantChecks,
): Promise<Tokens> {
  try {
    const tokens = await oidc.authorizationCodeGrant(config, answer.url, checks);
    answer.respond(true);
    return tokens;
  } catch (thrown) {
    answer.respond(false);
    throw thrown;
  }
}

function inTime(answer: Promise<CallbackAnswer>, { sleep }: Pick<Runtime, "sleep">): Promise<CallbackAnswer> {
  const outOfTime = sleep(PATIENCE_MS).then(() => {
    throw new AgentctlError(
      "IDENTITY_DENIED",
      "the login was not finished in time: nobody came back from the browser",
      {
        hint: "log in again; where the browser is on another machine, with --device",
      },
    );
  });
  return Promise.race([answer, outOfTime]);
}
