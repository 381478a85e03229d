import type { AgentctlError } from "../../../src/core/errors.js";
import type { IdToken } from "../../../src/core/identity.js";
import type { GrantTerms } from "../../../src/core/lease.js";
import type { Channel } from "../../../src/core/profile.js";
import { Secret } from "../../../src/core/secret.js";

/** Shaped like a JWT, and no secret of anybody. */
export const TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOiJ0b2tlbiJ9.c2lnbmF0dXJlLWNhbmFyeQ";
export const ISSUER = "https://token.actions.githubusercontent.com";
export const SUBJECT = "repo:acme/site:ref:refs/heads/main";

export function idToken(audience: string, overrides: Partial<IdToken> = {}): IdToken {
  return {
    token: new Secret(TOKEN),
    issuer: ISSUER,
    subject: SUBJECT,
    audience: [audience],
    expiresAt: Number.MAX_SAFE_INTEGER,
    claims: {},
    sha256: "0".repeat(64),
    ...overrides,
  };
}

export function grantTerms(lifetimeSeconds: number, askedAt: number, channel: Channel = "env"): GrantTerms {
  return {
    leaseId: "l-0123456789abcdef",
    profileName: "deploy-web",
    channel,
    endsAt: askedAt + lifetimeSeconds * 1000,
    lifetimeSeconds,
    latestEndsAt: askedAt + lifetimeSeconds * 1000,
    revoke: "auto",
  };
}

/** What a promise rejected with; fails when it did not. */
export async function failureOf(promise: Promise<unknown>): Promise<AgentctlError> {
  const [outcome] = await Promise.allSettled([promise]);
  if (outcome?.status !== "rejected") throw new Error("it was expected to fail");
  return outcome.reason as AgentctlError;
}
