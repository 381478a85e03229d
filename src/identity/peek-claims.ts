import { decodeJwt } from "jose";
import type { Claims } from "../core/identity.js";

/** The claims of a text that is a JWT, not yet checked for anything; undefined when it is none. */
export function peekClaims(text: string): Claims | undefined {
  // Most texts are told apart without the cost of a parser.
  if (!text.startsWith("eyJ")) return undefined;
  try {
    return decodeJwt(text);
  } catch {
    return undefined;
  }
}

/** Whether a text is a JWT for one of the audiences. */
export function isFor(text: string, audiences: readonly string[]): boolean {
  const given = [peekClaims(text)?.["aud"]].flat();
  return audiences.some((audience) => given.includes(audience));
}
