import { randomBytes } from "node:crypto";

/** Crockford's base 32: no I, L, O or U, so that an id survives being read out. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 16;

export const LEASE_ID = new RegExp(`^l-[${ALPHABET}]{${LENGTH}}$`);

/** `l-` and 16 characters of Crockford base 32: 80 random bits. */
export function newLeaseId(random: (size: number) => Uint8Array = randomBytes): string {
  const characters = Array.from(random(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]);
  return `l-${characters.join("")}`;
}
