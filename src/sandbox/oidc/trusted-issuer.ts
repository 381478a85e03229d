import type { OidcIssuer } from "./issuer.js";

/** The sandbox's issuer, and the one that it stands in for. */
export interface TrustedIssuer extends OidcIssuer {
  readonly standsFor: string;
}

/** Whether trust that is written for the issuer `named` is trust in this one. */
export function isNamed(named: string, issuer: TrustedIssuer): boolean {
  return named === issuer.issuer || named === issuer.standsFor;
}
