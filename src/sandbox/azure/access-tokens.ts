import { createHash, type KeyObject, randomUUID } from "node:crypto";
import { createLocalJWKSet, errors, exportJWK, type JSONWebKeySet, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { makeIssuerKeys } from "../oidc/issuer.js";

export interface AccessTokenTerms {
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly audience: string;
  readonly lifeSeconds: number;
}

/** Why a resource does not take a token. */
export type AccessTokenFault = "malformed" | "bad signature" | "wrong issuer" | "expired" | "early" | "wrong audience";

/** Makes Entra's access tokens, and checks them for the resources that they are for. */
export interface AccessTokens {
  issue(terms: AccessTokenTerms, now: number): Promise<string>;
  verify(
    token: string,
    expected: { readonly tenantId: string; readonly audiences: readonly string[] },
    now: number,
  ): Promise<{ readonly claims: JWTPayload } | { readonly fault: AccessTokenFault }>;
  jwks(): Promise<JSONWebKeySet>;
}

interface SigningKey {
  readonly privateKey: KeyObject;
  readonly kid: string;
  readonly jwks: JSONWebKeySet;
}

/** The key is made when the first token is asked for. */
export function createAccessTokens(): AccessTokens {
  let making: Promise<SigningKey> | undefined;
  const signingKey = (): Promise<SigningKey> => {
    making ??= makeSigningKey();
    return making;
  };
  return {
    issue: async (terms, now) => {
      const { privateKey, kid } = await signingKey();
      const header = { typ: "JWT", alg: "RS256", x5t: kid, kid };
      return new SignJWT(claimsOf(terms, now)).setProtectedHeader(header).sign(privateKey);
    },
    verify: async (token, { tenantId, audiences }, now) => {
      const { jwks } = await signingKey();
      const issuer = issuerOf(tenantId);
      const options = { algorithms: ["RS256"], issuer, audience: [...audiences], currentDate: new Date(now) };
      try {
        return { claims: (await jwtVerify(token, createLocalJWKSet(jwks), options)).payload };
      } catch (error) {
        return { fault: faultOf(error) };
      }
    },
    jwks: async () => (await signingKey()).jwks,
  };
}

async function makeSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await makeIssuerKeys();
  const jwk = await exportJWK(publicKey);
  const kid = createHash("sha1").update(JSON.stringify(jwk)).digest("base64url");
  return { privateKey, kid, jwks: { keys: [{ ...jwk, kid, x5t: kid, alg: "RS256", use: "sig" }] } };
}

/** The claims of a version 1.0 token for an application, which Azure's own resources take. */
function claimsOf(terms: AccessTokenTerms, now: number): JWTPayload {
  const issuedAt = Math.floor(now / 1000);
  return {
    aud: terms.audience,
    iss: issuerOf(terms.tenantId),
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + terms.lifeSeconds,
    appid: terms.clientId,
    appidacr: "2",
    idp: issuerOf(terms.tenantId),
    idtyp: "app",
    oid: terms.objectId,
    sub: terms.objectId,
    tid: terms.tenantId,
    uti: randomUUID(),
    ver: "1.0",
  };
}

function issuerOf(tenantId: string): string {
  return `https://sts.windows.net/${tenantId}/`;
}

function faultOf(error: unknown): AccessTokenFault {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "aud") return "wrong audience";
    return error.claim === "iss" ? "wrong issuer" : "early";
  }
  const isSignature =
    error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey;
  return isSignature ? "bad signature" : "malformed";
}
