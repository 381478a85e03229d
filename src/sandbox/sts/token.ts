import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import type { OidcIssuer } from "../oidc/issuer.js";
import { WireError } from "../wire-error.js";

/** What STS has found out about a token that it takes. */
export interface VerifiedToken {
  readonly subject: string;
  readonly audience: string;
  readonly claims: JWTPayload;
}

/**
 * Verifies a web identity token as STS does: a JWT, of an issuer that the account has a provider for,
 * signed by a key that the issuer publishes, for an audience that the provider lists, and not expired.
 */
export async function verifyWebIdentityToken(
  token: string,
  issuer: OidcIssuer,
  audiences: readonly string[],
  now: number,
): Promise<VerifiedToken> {
  const claimed = decode(token);
  if (claimed.iss !== issuer.issuer) {
    throw invalidToken(`No OpenIDConnect provider found in your account for ${claimed.iss ?? "null"}`);
  }
  const claims = await verify(token, issuer, now);
  const given = [claims.aud ?? []].flat();
  const audience = given.find((one) => audiences.includes(one));
  if (audience === undefined) throw invalidToken("Incorrect token audience");
  if (claims.sub === undefined || claims.sub === "") throw invalidToken("Missing a required claim: sub");
  return { subject: claims.sub, audience, claims };
}

function decode(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw invalidToken(
      "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
    );
  }
}

async function verify(token: string, issuer: OidcIssuer, now: number): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, issuer.verificationKeys, {
      algorithms: ["RS256"],
      requiredClaims: ["exp", "iat"],
      currentDate: new Date(now),
      // AWS allows some clock difference to an issuer; how much is not published.
      clockTolerance: 5,
    });
    return payload;
  } catch (error) {
    throw explainJose(error, now);
  }
}

function explainJose(error: unknown, now: number): WireError {
  if (error instanceof errors.JWTExpired) {
    const text = `Token expired: current date/time ${Math.floor(now / 1000)} must be before the expiration date/time ${error.payload.exp}`;
    return new WireError(400, "ExpiredTokenException", text);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalidToken(
      error.reason === "missing" ? `Missing a required claim: ${error.claim}` : "The token is not valid yet",
    );
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSEAlgNotAllowed) {
    return invalidToken(
      "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
  return invalidToken("The web identity token that was passed could not be validated: invalid signature");
}

function invalidToken(message: string): WireError {
  return new WireError(400, "InvalidIdentityToken", message);
}
