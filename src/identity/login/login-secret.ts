import { AgentctlError } from "../../core/errors.js";
import { Secret } from "../../core/secret.js";
import type { LoginRecord, StoreKind } from "./login-record.js";
import type { SecretStore } from "./secret-store.js";

/** What a login is worth: a refresh token, or the one ID token of a provider that gives none. */
export interface LoginSecret {
  readonly refreshToken?: Secret;
  readonly idToken?: Secret;
  /** Of clients that have one, such as Google's for desktop programs. */
  readonly clientSecret?: Secret;
}

type Owner = Pick<LoginRecord, "name" | "issuer" | "clientId">;

/** In a locked keychain a reader merely finds nothing. */
const WHERE: Readonly<Record<StoreKind, string>> = {
  keychain: "in the keychain (which may be locked)",
  file: "in its file",
};

/** Kept with whom it is for, so that whoever rewrites the record cannot have the token sent elsewhere. */
export async function keepSecret(owner: Owner, secret: LoginSecret, store: SecretStore): Promise<void> {
  const { issuer, clientId } = owner;
  const { refreshToken, idToken, clientSecret } = secret;
  const text = JSON.stringify({
    issuer,
    clientId,
    refreshToken: refreshToken?.reveal(),
    idToken: idToken?.reveal(),
    clientSecret: clientSecret?.reveal(),
  });
  await store.write(owner.name, text);
}

/** @throws {AgentctlError} NO_IDENTITY when there is none, or it is not this issuer's and client's */
export async function findSecret(owner: Owner & Pick<LoginRecord, "store">, store: SecretStore): Promise<LoginSecret> {
  const secret = await peekSecret(owner, store);
  if (secret !== undefined) return secret;
  throw new AgentctlError(
    "NO_IDENTITY",
    `the login ${owner.name} cannot be used: its token is not ${WHERE[owner.store]}, or is of another provider or client`,
    { hint: logInAgain(owner.name) },
  );
}

/** The same, or undefined. */
export async function peekSecret(owner: Owner, store: SecretStore): Promise<LoginSecret | undefined> {
  const kept = parse(await store.read(owner.name));
  if (kept?.["issuer"] !== owner.issuer || kept["clientId"] !== owner.clientId) return undefined;
  return { ...part("refreshToken", kept), ...part("idToken", kept), ...part("clientSecret", kept) };
}

/** Keeps no cause: what a JSON parser says of a text quotes it. */
function parse(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text ?? "") as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function part(name: keyof LoginSecret, kept: Readonly<Record<string, unknown>>): LoginSecret {
  const value = kept[name];
  return typeof value === "string" ? { [name]: new Secret(value) } : {};
}

export function logInAgain(name: string): string {
  return `log in again: agentctl login ${name}`;
}
