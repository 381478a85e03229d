import { decodeJwt, decodeProtectedHeader } from "jose";
import { formatDuration, formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { Claims, IdToken } from "../core/identity.js";
import { selectClaims } from "./claims.js";
import type { TokenCandidate } from "./source.js";
import { describeShape } from "./token-shape.js";

/** How far the issuer's clock may be ahead of ours before a token counts as one from the future. */
const CLOCK_TOLERANCE_SECONDS = 60;

const MALFORMED_HINT = "agentctl needs an OIDC ID token: a signed JWT, as a CI job or an identity provider issues it";

/** A token that was read, and is complete; for whom and whether now is still to be checked. */
export interface ReadToken extends IdToken {
  readonly origin: string;
  /** The latest of `nbf` and `iat` in milliseconds since the epoch, and which of them it is. */
  readonly start?: { readonly claim: "nbf" | "iat"; readonly at: number };
}

/**
 * Reads a token and checks that it is a JWT, signed, and has `iss`, `sub` and `exp`. The signature itself
 * is for the cloud to verify.
 * @throws {AgentctlError} TOKEN_MALFORMED
 */
export function readToken({ token, origin }: TokenCandidate): ReadToken {
  const payload = decodeToken(token.reveal(), origin);
  const start = findStart(payload);
  return {
    token,
    origin,
    issuer: requireText(payload, "iss", origin),
    subject: requireText(payload, "sub", origin),
    audience: readAudience(payload, origin),
    expiresAt: requireSeconds(payload, "exp", origin) * 1000,
    ...(start === undefined ? {} : { start }),
    claims: selectClaims(payload),
    sha256: token.sha256(),
  };
}

/**
 * Checks that a token is valid at `now`. Both clocks are told, since a token that looks expired or
 * early is as often a wrong clock.
 * @throws {AgentctlError} TOKEN_EXPIRED, also for a token that is not valid yet
 */
export function checkValidity(
  { origin, expiresAt, start }: ReadToken,
  now: number,
  hintWhenExpired = "get a new token; if that time is wrong, set this machine's clock",
): void {
  const clock = `this machine's clock says ${showInstant(now)}`;
  if (expiresAt <= now) {
    const ago = formatDuration((now - expiresAt) / 1000);
    throw new AgentctlError(
      "TOKEN_EXPIRED",
      `${origin} expired ${ago} ago: it was valid until ${showInstant(expiresAt)}, and ${clock}`,
      {
        hint: hintWhenExpired,
        facts: { expiredAt: showInstant(expiresAt) },
      },
    );
  }
  if (start !== undefined && start.at > now + CLOCK_TOLERANCE_SECONDS * 1000) {
    throw new AgentctlError(
      "TOKEN_EXPIRED",
      `${origin} is not valid yet: its \`${start.claim}\` is ${showInstant(start.at)}, and ${clock}`,
      {
        hint: "this machine's clock is probably slow: set it and try again",
        facts: { validFrom: showInstant(start.at) },
      },
    );
  }
}

/** Keeps no cause: what a JSON parser says about a token quotes it. */
function decodeToken(text: string, origin: string): Claims {
  let header: { readonly alg?: unknown };
  let payload: Claims;
  try {
    header = decodeProtectedHeader(text);
    payload = decodeJwt(text);
  } catch {
    throw malformed(`${origin} is not a JWT: ${describeShape(text)}`);
  }
  const { alg } = header;
  if (typeof alg !== "string") throw malformed(`${origin} does not say how it is signed: its header has no \`alg\``);
  if (alg.toLowerCase() === "none") throw malformed(`${origin} is not signed: its \`alg\` is "none"`);
  if (text.endsWith(".")) throw malformed(`${origin} is not signed: its third part is empty`);
  return payload;
}

function requireText(payload: Claims, claim: string, origin: string): string {
  const value = payload[claim];
  if (typeof value !== "string" || value === "") throw malformed(`${origin} has no \`${claim}\``);
  return value;
}

function requireSeconds(payload: Claims, claim: string, origin: string): number {
  const value = payload[claim];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw malformed(`${origin} has ${value === undefined ? "no" : "an unreadable"} \`${claim}\``);
}

function readAudience(payload: Claims, origin: string): readonly string[] {
  const { aud } = payload;
  if (aud === undefined) return [];
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return list.map((item) => {
    if (typeof item === "string") return item;
    throw malformed(`${origin} has an \`aud\` that is neither a text nor a list of texts`);
  });
}

function findStart(payload: Claims): ReadToken["start"] {
  const starts = (["nbf", "iat"] as const).flatMap((claim) => {
    const seconds = payload[claim];
    return typeof seconds === "number" ? [{ claim, at: seconds * 1000 }] : [];
  });
  return starts.sort((a, b) => b.at - a.at)[0];
}

function malformed(message: string): AgentctlError {
  return new AgentctlError("TOKEN_MALFORMED", message, { hint: MALFORMED_HINT });
}

/** A token may name a time beyond the year 275760, where dates end. */
function showInstant(epochMs: number): string {
  return Number.isNaN(new Date(epochMs).getTime()) ? `${epochMs} ms` : formatInstant(epochMs);
}
