import { createHash } from "node:crypto";

/** The stable unique id of a role, the first half of `aws:userid`. */
export function roleId(roleArn: string): string {
  return `AROA${base32(createHash("sha256").update(roleArn).digest(), 17)}`;
}

/** `length` characters of the alphabet that AWS makes its identifiers of. */
export function base32(bytes: Uint8Array, length: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return Array.from(bytes.subarray(0, length), (byte) => alphabet[byte & 31]).join("");
}
