import * as oidc from "openid-client";
import { AgentctlError } from "../../core/errors.js";
import type { Runtime } from "../../core/runtime.js";
import { Secret } from "../../core/secret.js";
import { logInByBrowser } from "./browser-flow.js";
import { hasDeviceFlow, logInByDevice } from "./device-flow.js";
import { withLogin, withLoginName } from "./login-lock.js";
import { ensureLoginDir, type LoginRecord, readRecord, writeRecord } from "./login-record.js";
import { keepSecret, type LoginSecret, peekSecret } from "./login-secret.js";
import { findBrowser } from "./open-browser.js";
import { openStore } from "./open-store.js";
import { type LoginPlan, type LoginRequest, planLogin, requireSameLogin } from "./plan-login.js";
import { discoverProvider, type Tokens } from "./provider.js";
import { explainProviderFailure } from "./provider-failure.js";
import type { SecretStore } from "./secret-store.js";
import type { Tell } from "./tell.js";

/**
 * Logs in at an OpenID provider and keeps what it gave: the refresh token, else the one ID token.
 * @throws {AgentctlError} USAGE, CONFIG_INVALID, ENDPOINT_INVALID, LOCK_HELD, KEYCHAIN_UNUSABLE, STATE_UNWRITABLE,
 *   IDENTITY_DENIED, TOKEN_EXPIRED, BAD_ANSWER, UNREACHABLE, THROTTLED, SERVICE_FAILED
 */
export async function logIn(request: LoginRequest, tell: Tell, runtime: Runtime): Promise<LoginRecord> {
  const plan = planLogin(request, runtime);
  ensureLoginDir(runtime);
  return withLoginName(plan.name, () => logInAlone(plan, request, tell, runtime), runtime);
}

async function logInAlone(plan: LoginPlan, request: LoginRequest, tell: Tell, runtime: Runtime): Promise<LoginRecord> {
  const store = await openStore(plan.store, runtime);
  await tryWriting(plan.name, store);
  const kept = await peekSecret(plan, store);
  const clientSecret = plan.clientSecret ?? kept?.clientSecret;
  const client = { ...plan, ...(clientSecret !== undefined && { clientSecret }) };
  const { issuer, clientId } = plan;
  const config = await discoverProvider(client, runtime);
  oidc.enableNonRepudiationChecks(config);
  try {
    const scopes = scopesFor(plan, config);
    const tokens = await runFlow(config, scopes, request, tell, runtime);
    return await keepLogin(tokens, scopes, client, request, store, runtime);
  } catch (thrown) {
    throw explainProviderFailure(thrown, { issuer, clientId, doing: "log you in", secrets: [clientSecret] });
  }
}

/** Before anybody is sent to a browser. Only writing tells: in a locked keychain a reader merely finds nothing. */
async function tryWriting(name: string, store: SecretStore): Promise<void> {
  const probe = `${name}.probe`;
  await store.write(probe, "agentctl tries whether it may write here");
  await store.remove(probe);
}

/** A refresh token is asked for where the provider has the usual word for it; some give one without. */
function scopesFor({ scopes }: LoginPlan, config: oidc.Configuration): readonly string[] {
  if (scopes.length > 0) return [...new Set(["openid", ...scopes])];
  const isOffered = config.serverMetadata().scopes_supported?.includes("offline_access") === true;
  return isOffered ? ["openid", "offline_access"] : ["openid"];
}

/** As asked; else by the browser where there is one to be seen, else by device code where the provider has that. */
function runFlow(
  config: oidc.Configuration,
  scopes: readonly string[],
  { device, noBrowser, port }: LoginRequest,
  tell: Tell,
  runtime: Runtime,
): Promise<Tokens> {
  const browser = findBrowser(runtime);
  if ("reason" in browser && !device && !noBrowser) tell(browser.reason);
  const isByDevice = device || ("reason" in browser && !noBrowser && port === undefined && hasDeviceFlow(config));
  if (isByDevice) return logInByDevice(config, scopes, tell);
  return logInByBrowser(config, { scopes, port: port ?? 0, opensBrowser: !noBrowser }, tell, runtime);
}

async function keepLogin(
  tokens: Tokens,
  asked: readonly string[],
  plan: LoginPlan,
  request: LoginRequest,
  store: SecretStore,
  runtime: Runtime,
): Promise<LoginRecord> {
  const claims = tokens.claims();
  if (claims === undefined || tokens.id_token === undefined) throw withoutIdToken();
  const { name, issuer, clientId } = plan;
  const record: LoginRecord = {
    name,
    issuer,
    clientId,
    scopes: tokens.scope?.split(" ") ?? asked,
    store: plan.store,
    subject: claims.sub,
    loggedInAt: runtime.now(),
    ...(tokens.refresh_token === undefined && { endsAt: claims.exp * 1000 }),
  };
  const secret: LoginSecret = {
    ...(tokens.refresh_token === undefined
      ? { idToken: new Secret(tokens.id_token) }
      : { refreshToken: new Secret(tokens.refresh_token) }),
    ...(plan.clientSecret !== undefined && { clientSecret: plan.clientSecret }),
  };
  return withLogin(
    name,
    async () => {
      const earlier = readRecord(name, runtime);
      if (!request.force) requireSameLogin(record, earlier);
      await keepSecret(record, secret, store);
      writeRecord(record, runtime);
      if (earlier !== undefined && earlier.store !== record.store) await forget(earlier, runtime);
      return record;
    },
    runtime,
  );
}

/** What was kept elsewhere before is of no more use. */
async function forget({ name, store }: LoginRecord, runtime: Runtime): Promise<void> {
  await (await openStore(store, runtime)).remove(name);
}

function withoutIdToken(): AgentctlError {
  return new AgentctlError("BAD_ANSWER", "the provider gave no ID token", { hint: "it has to know the scope openid" });
}
