import type { Secret } from "../../core/secret.js";
import { readAccessToken, readLifetimeMs } from "../exchange/access-token.js";
import { fieldOf, textOf, type WireOutcome } from "../exchange/wire.js";

/** A Google access token, and its end by this machine's clock. */
export interface GoogleToken {
  readonly token: Secret;
  readonly expiresAt: number;
}

/** A difference of clocks that small is latency and rounding. */
const TOLERATED_MS = 30_000;

/**
 * Reads an answer of Google's STS. `expires_in` is left out where the token ends with the one it was made from.
 * Throws a plain Error for what makes no sense.
 */
export function readStsToken(answer: unknown, askedAt: number, sourceExpiresAt?: number): GoogleToken {
  const token = readAccessToken(fieldOf(answer, "access_token"));
  const seconds = fieldOf(answer, "expires_in");
  if (seconds === undefined && sourceExpiresAt !== undefined) return { token, expiresAt: sourceExpiresAt };
  return { token, expiresAt: askedAt + readLifetimeMs(seconds) };
}

/** Reads an answer of `generateAccessToken`, whose `expireTime` is by Google's clock. */
export function readImpersonatedToken(answer: unknown, outcome: WireOutcome | undefined, now: number): GoogleToken {
  const token = readAccessToken(fieldOf(answer, "accessToken"));
  const aheadMs = (outcome?.kind === "answer" ? outcome.clockAheadMs : undefined) ?? 0;
  const expiresAt = Date.parse(textOf(answer, "expireTime") ?? "") - (Math.abs(aheadMs) > TOLERATED_MS ? aheadMs : 0);
  if (!(expiresAt > now)) throw new Error("expireTime is not a time to come");
  return { token, expiresAt };
}
