import { createHash, timingSafeEqual } from "node:crypto";

/** Compares two secrets in a time that tells nothing of them; hashed first, so that lengths may differ. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
