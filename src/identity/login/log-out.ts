import * as oidc from "openid-client";
import { AgentctlError, toAgentctlError } from "../../core/errors.js";
import type { Runtime } from "../../core/runtime.js";
import { makeVisible } from "../visible-text.js";
import { chooseLogin } from "./default-login.js";
import { withLogin } from "./login-lock.js";
import { type LoginRecord, listRecords, removeRecord } from "./login-record.js";
import { findSecret, type LoginSecret } from "./login-secret.js";
import { openStore } from "./open-store.js";
import { discoverProvider } from "./provider.js";
import { explainProviderFailure } from "./provider-failure.js";
import type { SecretStore } from "./secret-store.js";

/** What became of one login. */
export interface LogoutReport {
  readonly name: string;
  /** At the provider: taken back; or why it works there until its own end. */
  readonly revoked: boolean;
  readonly reason: string;
  /** What could not be deleted here, and why. */
  readonly left?: AgentctlError;
}

/**
 * @throws {AgentctlError} USAGE when there is no such login; LOCK_HELD, STATE_UNWRITABLE
 */
export async function logOutAll(
  { name, all }: { readonly name?: string; readonly all: boolean },
  runtime: Runtime,
): Promise<readonly LogoutReport[]> {
  const reports: LogoutReport[] = [];
  for (const record of all ? listRecords(runtime) : [findLogin(name, runtime)]) {
    reports.push(await logOut(record, runtime));
  }
  return reports;
}

function findLogin(name: string | undefined, runtime: Runtime): LoginRecord {
  const choice = chooseLogin(name, runtime);
  if ("record" in choice) return choice.record;
  const names = listRecords(runtime).map((record) => record.name);
  throw new AgentctlError("USAGE", makeVisible(choice.reason), {
    hint: names.length === 0 ? "there is nothing to log out of" : `name one of ${names.join(", ")}, or take --all`,
  });
}

/**
 * Takes a login back at its provider where that can be done (RFC 7009), and deletes it here whatever comes of that.
 * @throws {AgentctlError} LOCK_HELD, STATE_UNWRITABLE
 */
function logOut(record: LoginRecord, runtime: Runtime): Promise<LogoutReport> {
  return withLogin(record.name, () => logOutAlone(record, runtime), runtime);
}

async function logOutAlone(record: LoginRecord, runtime: Runtime): Promise<LogoutReport> {
  const { name } = record;
  let store: SecretStore;
  try {
    store = await openStore(record.store, runtime);
  } catch (thrown) {
    removeRecord(name, runtime);
    return { name, revoked: false, reason: "its token could not be read", left: toAgentctlError(thrown) };
  }
  const outcome = await revoke(record, store, runtime);
  const left = await store.remove(name).then(() => undefined, toAgentctlError);
  removeRecord(name, runtime);
  return { name, ...outcome, ...(left !== undefined && { left }) };
}

async function revoke(
  record: LoginRecord,
  store: SecretStore,
  runtime: Runtime,
): Promise<Pick<LogoutReport, "revoked" | "reason">> {
  const { issuer, clientId } = record;
  let secret: LoginSecret = {};
  try {
    secret = await findSecret(record, store);
    const { refreshToken } = secret;
    if (refreshToken === undefined)
      return { revoked: false, reason: "an ID token cannot be taken back, and ends by itself" };
    const config = await discoverProvider({ ...record, ...secret }, runtime);
    if (config.serverMetadata().revocation_endpoint === undefined) {
      return { revoked: false, reason: "the provider has no way to take it back: it ends there by itself" };
    }
    await oidc.tokenRevocation(config, refreshToken.reveal(), { token_type_hint: "refresh_token" });
    return { revoked: true, reason: "taken back at the provider" };
  } catch (thrown) {
    const { message } = explainProviderFailure(thrown, {
      issuer,
      clientId,
      doing: "take it back",
      secrets: Object.values(secret),
    });
    return { revoked: false, reason: `not taken back at the provider: ${message}` };
  }
}
