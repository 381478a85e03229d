import type { IdToken } from "./identity.js";

/** Which of the audiences that were asked for a token is for; the first where it is for none of them. */
export function fittingAudience(token: Pick<IdToken, "audience">, audiences: readonly string[]): string {
  return audiences.find((one) => token.audience.includes(one)) ?? audiences[0] ?? "";
}
