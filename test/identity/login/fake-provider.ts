import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { exportJWK, SignJWT } from "jose";
import type { HttpAnswer, HttpRequest, Runtime } from "../../../src/core/runtime.js";

export const ISSUER = "https://login.example";
export const CLIENT = "agentctl-test";

const own = generateKeyPairSync("rsa", { modulusLength: 2048 });
const strangers = generateKeyPairSync("rsa", { modulusLength: 2048 });

export interface Asked {
  readonly path: string;
  readonly form: URLSearchParams;
}

type Answering = (form: URLSearchParams) => object | HttpAnswer | Promise<object | HttpAnswer>;

export interface FakeProvider {
  readonly asked: Asked[];
  readonly fetch: Runtime["fetch"];
  /** What the token endpoint says next, by grant type; the last is said again. */
  token: Answering;
  device: Answering;
  revoke: Answering;
  discovery: Record<string, unknown> | string;
  /** What is thrown in the place of an answer. */
  failure: Error | undefined;
}

export function isHttpAnswer(value: object): value is HttpAnswer {
  return "status" in value && "body" in value;
}

export function refusal(error: string, status = 400): HttpAnswer {
  return answer({ error }, status);
}

function answer(value: unknown, status = 200): HttpAnswer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}

/** An ID token of the provider; `claims` are laid over the usual ones. */
export async function idToken(
  claims: Record<string, unknown> = {},
  signer: "own" | "stranger" = "own",
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const key: KeyObject = signer === "own" ? own.privateKey : strangers.privateKey;
  const payload = { iss: ISSUER, aud: CLIENT, sub: "ada", iat: now, exp: now + 300, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(key);
}

/** A provider without a network: `fetch` is what a Runtime is given. */
export function fakeProvider(): FakeProvider {
  const provider: FakeProvider = {
    asked: [],
    failure: undefined,
    discovery: {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/auth`,
      token_endpoint: `${ISSUER}/token`,
      device_authorization_endpoint: `${ISSUER}/device`,
      revocation_endpoint: `${ISSUER}/revoke`,
      jwks_uri: `${ISSUER}/jwks`,
      scopes_supported: ["openid", "offline_access"],
      response_types_supported: ["code"],
      id_token_signing_alg_values_supported: ["RS256"],
      authorization_response_iss_parameter_supported: true,
    },
    token: () => refusal("unsupported_grant_type"),
    device: () => ({
      device_code: "device-code-secret",
      user_code: "WDJB-MJHT",
      verification_uri: `${ISSUER}/activate`,
      verification_uri_complete: `${ISSUER}/activate?user_code=WDJB-MJHT`,
      expires_in: 60,
      interval: 1,
    }),
    revoke: () => ({ status: 200, headers: {}, body: "" }),
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      provider.asked.push({ path: pathname, form: new URLSearchParams(request.body) });
      if (provider.failure !== undefined) throw provider.failure;
      const said = await respond(pathname, request, provider);
      return isHttpAnswer(said) ? said : answer(said);
    },
  };
  return provider;
}

async function respond(path: string, request: HttpRequest, provider: FakeProvider): Promise<object> {
  const form = new URLSearchParams(request.body);
  switch (path) {
    case "/.well-known/openid-configuration":
      if (typeof provider.discovery !== "string") return provider.discovery;
      return { status: 200, headers: { "content-type": "text/html" }, body: provider.discovery };
    case "/jwks":
      return { keys: [{ ...(await exportJWK(own.publicKey)), kid: "k1", use: "sig", alg: "RS256" }] };
    case "/token":
      return provider.token(form);
    case "/device":
      return provider.device(form);
    case "/revoke":
      return provider.revoke(form);
    default:
      return refusal("not_found", 404);
  }
}
