import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import type { OidcIssuer } from "./issuer.js";

export type TokenFault = "expired" | "early" | "unknown key" | "bad signature" | "incomplete";

/** The claims of a text that is a JWT, whoever signed it; undefined when it is none. */
export function readClaims(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

/** What is wrong with an ID token's signature or times, by the keys that the issuer publishes; undefined when nothing is. */
export async function findTokenFault(token: string, issuer: OidcIssuer, now: number): Promise<TokenFault | undefined> {
  try {
    await jwtVerify(token, issuer.verificationKeys, {
      algorithms: ["RS256"],
      requiredClaims: ["exp", "iat", "sub"],
      currentDate: new Date(now),
      // The clouds allow some difference of clocks to an issuer; how much is not published.
      clockTolerance: 5,
    });
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) return error.reason === "missing" ? "incomplete" : "early";
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSEAlgNotAllowed) return "unknown key";
  return "bad signature";
}
