import { firstLine } from "../../core/errors.js";
import type { IdToken } from "../../core/identity.js";
import type { Secret } from "../../core/secret.js";

const REDACTED = "[redacted]";
/** A JWT or the beginning of one, and Google's opaque access tokens: services repeat values that they refuse. */
const TOKEN_LIKE = /eyJ[\w-]{8,}[\w.-]*|ya29\.[\w.-]+/g;
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** A service's own words, fit to be shown: one line, no control characters, and nothing of the secrets that were sent. */
export function scrub(text: string, secrets: readonly Secret[]): string {
  const bare = secrets.reduce((rest, secret) => rest.replaceAll(secret.reveal(), REDACTED), text);
  return firstLine(bare.replace(TOKEN_LIKE, REDACTED)).replace(NOT_PRINTABLE, " ").trim();
}

/** A claim of the token, fit to be shown. */
export function printable(claim: string): string {
  return firstLine(claim).replace(NOT_PRINTABLE, " ");
}

/** What a cloud that refused a token saw of it, to go on after the refusal. */
export function claimsSeen(token: IdToken): string {
  const { issuer, audience, subject } = token;
  return `; it saw iss ${printable(issuer)}, aud ${printable(audience.join(", "))}, sub ${printable(subject)}`;
}

export function claimFacts(token: IdToken): Record<string, string | readonly string[]> {
  return { iss: token.issuer, aud: token.audience, sub: token.subject };
}
