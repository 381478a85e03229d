import { scrub } from "../../core/scrub.js";

/** All of Google Cloud; and what Google's libraries ask for when nobody tells them otherwise. */
export const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

const PREFIX = "https://www.googleapis.com/auth/";

/**
 * Why a token with the profile's scopes is of no use to who asks for `asked`, or undefined where it is. It never gets
 * more than the profile's: Google's libraries ask for what a whole product may need, with no way to ask for less, so
 * that only a request of which nothing is held is worth a refusal here; of the rest Google is the judge.
 */
export function scopesRefused(asked: readonly string[], held: readonly string[]): string | undefined {
  if (asked.length === 0 || asked.some((one) => held.some((other) => overlap(one, other)))) return undefined;
  return `the profile gives none of the scopes asked for (${scrub(asked.join(" "), [])}), but ${held.join(" ")}`;
}

function overlap(one: string, other: string): boolean {
  const [product, otherProduct] = [productOf(one), productOf(other)];
  return product === otherProduct || product === "cloud-platform" || otherProduct === "cloud-platform";
}

/** `devstorage` of `…/auth/devstorage.read_only`: the scopes of one product lie within each other. */
function productOf(scope: string): string {
  return scope.startsWith(PREFIX) ? (scope.slice(PREFIX.length).split(".", 1)[0] ?? scope) : scope;
}
