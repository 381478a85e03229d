import { escapeControlCharacters } from "./control-characters.js";
import { firstLine } from "./errors.js";
import type { Secret } from "./secret.js";

const REDACTED = "[redacted]";
/** So many characters in a row that stand in a secret too are a piece of it. */
const PIECE = 16;
/** More than one line of it is never shown. */
const LONGEST = 4_096;
/** A JWT or the beginning of one, and Google's opaque tokens: services repeat values that they refuse, and may cut them. */
const TOKEN_LIKE = /eyJ[\w-]{8,}[\w.-]*|ya29\.[\w.-]+/g;

/**
 * A service's own words, fit to be shown: one line, no control characters, and nothing of the secrets
 * that were sent. AWS STS does repeat them: ValidationError the token, SignatureDoesNotMatch the session token.
 */
export function scrub(text: string, secrets: readonly Secret[]): string {
  const bare = secrets.reduce((rest, secret) => redactPieces(rest, secret.reveal()), text.slice(0, LONGEST));
  return printable(bare.replace(TOKEN_LIKE, REDACTED).trim());
}

/** A service may repeat a secret from its middle or its end only. */
function redactPieces(text: string, secret: string): string {
  const length = Math.min(PIECE, secret.length);
  if (length === 0) return text;
  let bare = "";
  for (let at = 0; at < text.length; ) {
    let end = at + length;
    if (end > text.length || !secret.includes(text.slice(at, end))) {
      bare += text[at];
      at += 1;
      continue;
    }
    while (end < text.length && secret.includes(text.slice(end - length + 1, end + 1))) end += 1;
    bare += REDACTED;
    at = end;
  }
  return bare;
}

/** Text from elsewhere, such as a claim of the token, as one line that can steer no terminal. */
export function printable(text: string): string {
  return escapeControlCharacters(firstLine(text).trimEnd());
}
