import { isNamed, type TrustedIssuer } from "../oidc/trusted-issuer.js";
import { findTokenFault, readClaims, type TokenFault } from "../oidc/verify.js";
import type { WireError } from "../wire-error.js";
import { type AadstsCode, entraError } from "./entra-errors.js";
import type { AzureApp } from "./world.js";

const CHECK =
  "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/**
 * Takes an assertion for the application's, or refuses it as Entra does: first by the federated credentials, which
 * have to match exactly, then by its signature and times. Answers its subject.
 */
export async function verifyAssertion(
  assertion: string,
  app: AzureApp,
  issuer: TrustedIssuer,
  now: number,
): Promise<string> {
  const claims = readClaims(assertion);
  if (claims === undefined) throw entraError(50027, "JWT token is invalid or malformed.");
  const audiences = [claims.aud ?? []].flat();
  const subject = claims.sub ?? "";
  matchCredential(app, issuer, { issuer: claims.iss ?? "", audiences, subject });
  const fault = await findTokenFault(assertion, issuer, now);
  if (fault !== undefined) throw explainFault(fault, claims, issuer, now);
  return subject;
}

interface Presented {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly subject: string;
}

function matchCredential(app: AzureApp, issuer: TrustedIssuer, presented: Presented): void {
  const all = app.federatedCredentials;
  if (all.length === 0) throw entraError(70025, "Client application has no configured federated identity credentials.");
  const isOurs = presented.issuer === issuer.issuer;
  const byIssuer = all.filter((one) => isOurs && isNamed(one.issuer, issuer));
  if (byIssuer.length === 0) throw noMatch(700211, "issuer", presented.issuer);
  const byAudience = byIssuer.filter((one) => presented.audiences.includes(one.audience));
  if (byAudience.length === 0) throw noMatch(700212, "audience", presented.audiences.join(", "));
  if (byAudience.some((one) => one.subject === presented.subject)) return;
  const isNearly = byAudience.some((one) => one.subject.toLowerCase() === presented.subject.toLowerCase());
  if (!isNearly) throw noMatch(700213, "subject", presented.subject);
  throw entraError(
    7002138,
    `No matching federated identity record found for presented assertion subject '${presented.subject}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${CHECK}`,
  );
}

function noMatch(code: AadstsCode, what: string, value: string): WireError {
  const text = `No matching federated identity record found for presented assertion ${what} '${value}'.`;
  return entraError(code, `${text} ${CHECK}`);
}

function explainFault(
  fault: TokenFault,
  claims: { readonly nbf?: number; readonly exp?: number },
  issuer: TrustedIssuer,
  now: number,
): WireError {
  switch (fault) {
    case "expired":
    case "early": {
      const range = `Current time: ${showTime(now)}, assertion valid from ${showTime((claims.nbf ?? 0) * 1000)}, expiry time of assertion ${showTime((claims.exp ?? 0) * 1000)}.`;
      return entraError(
        700024,
        `Client assertion is not within its valid time range. ${range} Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .`,
      );
    }
    case "incomplete":
      return entraError(50027, "JWT token is invalid or malformed.");
    case "unknown key":
      return entraError(
        7000272,
        `The certificate used to sign the federated credential could not be found in the metadata of identity provider ${issuer.issuer}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token.`,
      );
    case "bad signature":
      return entraError(
        50013,
        "Assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.]",
      );
  }
}

/** With the seven digits of .NET. */
function showTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "0000Z");
}
