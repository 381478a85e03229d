import { AgentctlError } from "../../core/errors.js";
import type { Runtime } from "../../core/runtime.js";
import { Secret } from "../../core/secret.js";
import { makeVisible } from "../visible-text.js";
import { defaultLoginName } from "./default-login.js";
import { assertLoginName, type LoginRecord, readRecord, type StoreKind } from "./login-record.js";

/** What `agentctl login` was asked for. */
export interface LoginRequest {
  readonly name?: string;
  readonly issuer?: string;
  readonly clientId?: string;
  /** Empty: those that give an ID token and, where the provider has the usual word for it, a refresh token. */
  readonly scopes: readonly string[];
  /** The variable that holds the client's secret, for providers that insist on one. */
  readonly clientSecretVariable?: string;
  readonly store?: StoreKind;
  readonly device: boolean;
  readonly noBrowser: boolean;
  readonly port?: number;
  /** Whether a login of this name may be replaced by somebody else's. */
  readonly force: boolean;
}

/** What is settled before the provider is asked: what was not said is as it was at the last login of that name. */
export interface LoginPlan {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly clientSecret?: Secret;
  readonly store: StoreKind;
}

/** @throws {AgentctlError} USAGE */
export function planLogin(request: LoginRequest, runtime: Runtime): LoginPlan {
  const name = request.name ?? defaultLoginName(runtime) ?? "default";
  assertLoginName(name);
  const earlier = readRecord(name, runtime);
  const issuer = request.issuer ?? earlier?.issuer;
  const clientId = request.clientId ?? earlier?.clientId;
  if (issuer === undefined || clientId === undefined) {
    throw new AgentctlError("USAGE", `there is no login ${name} yet, so its provider has to be named`, {
      hint: `agentctl login ${name} --issuer URL --client-id ID`,
    });
  }
  if (!request.force) requireSameProvider({ name, issuer, clientId }, earlier);
  return {
    name,
    issuer,
    clientId,
    scopes: request.scopes.length > 0 ? request.scopes : (earlier?.scopes ?? []),
    store: request.store ?? earlier?.store ?? "keychain",
    ...clientSecretOf(request, runtime),
  };
}

function clientSecretOf(
  { clientSecretVariable: variable }: LoginRequest,
  { env }: Runtime,
): { readonly clientSecret?: Secret } {
  if (variable === undefined) return {};
  const value = env[variable]?.trim();
  if (value !== undefined && value !== "") return { clientSecret: new Secret(value) };
  throw new AgentctlError("USAGE", `${makeVisible(variable)} is not set`, {
    hint: "--client-secret-env takes the name of the variable that holds the client's secret",
  });
}

type Owner = Pick<LoginRecord, "name" | "issuer" | "clientId">;

function requireSameProvider(wanted: Owner, earlier: LoginRecord | undefined): void {
  if (earlier === undefined) return;
  if (earlier.issuer === wanted.issuer && earlier.clientId === wanted.clientId) return;
  throw new AgentctlError(
    "USAGE",
    `there is a login ${wanted.name} already, of client ${earlier.clientId} at ${earlier.issuer}`,
    { hint: "take another name, or --force to replace it" },
  );
}

/**
 * That a login of this name stays the same person's.
 * @throws {AgentctlError} IDENTITY_DENIED
 */
export function requireSameLogin(record: LoginRecord, earlier: LoginRecord | undefined): void {
  requireSameProvider(record, earlier);
  if (earlier === undefined || earlier.subject === record.subject) return;
  const [was, is] = [makeVisible(earlier.subject), makeVisible(record.subject)];
  throw new AgentctlError("IDENTITY_DENIED", `the login ${record.name} is that of ${was}, and you logged in as ${is}`, {
    hint: "log in as the same, take another name, or replace it with --force",
  });
}
