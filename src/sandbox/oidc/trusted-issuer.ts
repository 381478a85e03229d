import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import type { OidcIssuer } from "./issuer.js";

/** An issuer of the user's own, such as the provider of `agentctl login`. */
export interface ForeignIssuer {
  readonly url: string;
  readonly jwks: JSONWebKeySet;
}

/** An issuer that the clouds trust, and the one that it stands in for. */
export interface TrustedIssuer extends OidcIssuer {
  readonly standsFor: string;
}

/** What the clouds are to trust: the world's foreign issuer where it names one, else the sandbox's own. */
export function trustedBy(world: { readonly issuer?: ForeignIssuer }, own: TrustedIssuer): TrustedIssuer {
  if (world.issuer === undefined) return own;
  const { url, jwks } = world.issuer;
  return { ...own, issuer: url, standsFor: url, jwks, verificationKeys: createLocalJWKSet(jwks) };
}

/** Whether trust that is written for the issuer `named` is trust in this one. */
export function isNamed(named: string, issuer: TrustedIssuer): boolean {
  return named === issuer.issuer || named === issuer.standsFor;
}
