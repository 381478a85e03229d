import type { JWTPayload } from "jose";
import { isNamed, type TrustedIssuer } from "../oidc/trusted-issuer.js";
import { findTokenFault, readClaims, type TokenFault } from "../oidc/verify.js";
import { WireError } from "../wire-error.js";
import type { GcpProvider } from "./world.js";

/** Google takes no token whose `exp` is further from its `iat`. */
const LONGEST_LIFE_SECONDS = 86_400;

/**
 * Takes a subject token for one of the provider's, or refuses it as Google's STS does. Answers its claims.
 * @param providerName the provider's resource name, which is its audience where it lists none
 */
export async function verifySubjectToken(
  token: string,
  providerName: string,
  provider: GcpProvider,
  issuer: TrustedIssuer,
  now: number,
): Promise<JWTPayload> {
  const claims = readClaims(token);
  if (claims === undefined) throw invalidGrant("Unable to parse the ID Token.");
  if (claims.iss !== issuer.issuer || !isNamed(provider.issuer, issuer)) {
    throw invalidGrant(
      `The issuer in ID Token ${claims.iss ?? ""} does not match the expected ones: ${provider.issuer}.`,
    );
  }
  const own = `//iam.googleapis.com/${providerName}`;
  const expected = provider.allowedAudiences ?? [own, `https:${own}`];
  const given = [claims.aud ?? []].flat();
  if (!given.some((audience) => expected.includes(audience))) {
    throw invalidGrant(`The audience in ID Token [${given.join(", ")}] does not match the expected audience.`);
  }
  const fault = await findTokenFault(token, issuer, now);
  if (fault !== undefined) throw invalidGrant(explainFault(fault, claims));
  if ((claims.exp ?? 0) - (claims.iat ?? 0) > LONGEST_LIFE_SECONDS) {
    throw invalidGrant("The lifetime of the ID Token is longer than 24 hours.");
  }
  return claims;
}

function explainFault(fault: TokenFault, claims: JWTPayload): string {
  switch (fault) {
    case "expired":
      return `ID Token issued at ${claims.iat ?? 0} is stale to sign-in.`;
    case "early":
      return `ID Token issued at ${claims.iat ?? 0} is not valid yet.`;
    case "incomplete":
      return "Unable to parse the ID Token.";
    default:
      return "Unable to verify the ID Token signature.";
  }
}

export function invalidGrant(text: string): WireError {
  return new WireError(400, "invalid_grant", text);
}
