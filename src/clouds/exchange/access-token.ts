import { Secret } from "../../core/secret.js";

/** What HTTP headers, variables and shells all take as it is: no space, no quote, no control character. */
const TOKEN = /^[\x21\x23-\x26\x28-\x7e]{1,32768}$/;

/** An access token out of an answer. Throws a plain Error for what can't be one. */
export function readAccessToken(value: unknown): Secret {
  if (typeof value !== "string" || !TOKEN.test(value)) throw new Error("there is no access token in it");
  return new Secret(value);
}

/** A lifetime out of an answer, which some services write as text. Throws a plain Error for what can't be one. */
export function readLifetimeMs(value: unknown): number {
  const seconds = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof seconds !== "number" || !(seconds >= 1)) throw new Error("expires_in is not a number of seconds");
  return seconds * 1000;
}
