import { generateKeyPair, SignJWT } from "jose";

/** The instant that the tests of this folder call now. */
export const NOW = Date.parse("2026-11-22T12:00:00Z");
export const NOW_SECONDS = NOW / 1000;

export const AWS_AUDIENCE = "sts.amazonaws.com";

const keys = generateKeyPair("ES256");

/** A signed token, valid for five minutes from NOW unless `claims` say otherwise; undefined removes a claim. */
export async function makeToken(claims: Record<string, unknown> = {}): Promise<string> {
  const payload = {
    iss: "https://issuer.example",
    sub: "repo:acme/site:ref:refs/heads/main",
    aud: AWS_AUDIENCE,
    iat: NOW_SECONDS,
    exp: NOW_SECONDS + 300,
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: "ES256" }).sign((await keys).privateKey);
}

/** A JWT put together by hand, for what jose would not sign. */
export function forgeToken(header: unknown, payload: unknown, signature = "c2lnbmF0dXJl"): string {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

export const FULL_PAYLOAD = {
  iss: "https://issuer.example",
  sub: "someone",
  aud: AWS_AUDIENCE,
  exp: NOW_SECONDS + 300,
} as const;
