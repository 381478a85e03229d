import { escapeControlCharacters } from "../../core/control-characters.js";
import { firstLine } from "../../core/errors.js";
import type { Secret } from "../../core/secret.js";

const REDACTED = "[redacted]";
/** A JWT or the beginning of one: STS repeats a malformed value, and may cut it. */
const TOKEN_LIKE = /eyJ[\w-]{8,}[\w.-]*/g;

/**
 * A service's own words, fit to be shown: one line, no control characters, and nothing of the secrets
 * that were sent. STS does repeat them: ValidationError the token, SignatureDoesNotMatch the session token.
 */
export function scrub(text: string, secrets: readonly Secret[]): string {
  const bare = secrets.reduce((rest, secret) => rest.replaceAll(secret.reveal(), REDACTED), text);
  return printable(bare.replace(TOKEN_LIKE, REDACTED).trim());
}

/** Text from elsewhere, such as a claim of the token, as one line that can steer no terminal. */
export function printable(text: string): string {
  return escapeControlCharacters(firstLine(text));
}
