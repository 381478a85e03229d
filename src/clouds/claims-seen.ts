import type { IdToken } from "../core/identity.js";
import { printable } from "../core/scrub.js";

/** What a cloud that refused a token saw of it, to go on after the refusal. */
export function claimsSeen(token: IdToken): string {
  const { iss, aud, sub } = claimFacts(token);
  return `; it saw iss ${iss}, aud ${aud.join(", ")}, sub ${sub}`;
}

/** The claims that a cloud's trust goes by, fit to be shown. */
export function claimFacts(token: IdToken) {
  return { iss: printable(token.issuer), aud: token.audience.map(printable), sub: printable(token.subject) };
}
