import { gitlabClaims } from "../gitlab/claims.js";
import { kubernetesClaims } from "../kubernetes/claims.js";
import { githubClaims } from "./issuer.js";

/** Where the sandbox's caller says it runs: what its tokens look like, and how they are handed out. */
export const PLATFORM_NAMES = ["github", "gitlab", "kubernetes"] as const;
export type PlatformName = (typeof PLATFORM_NAMES)[number];

export interface Platform {
  /** The issuer that teams write their trust for; the sandbox's own stands in for it. */
  readonly standsFor: string;
  /** Where its issuer publishes its keys. */
  readonly jwksPath: string;
  claims(): Record<string, unknown>;
}

export const PLATFORMS: Readonly<Record<PlatformName, Platform>> = {
  github: {
    standsFor: "https://token.actions.githubusercontent.com",
    jwksPath: "/.well-known/jwks",
    claims: githubClaims,
  },
  gitlab: { standsFor: "https://gitlab.com", jwksPath: "/oauth/discovery/keys", claims: gitlabClaims },
  kubernetes: {
    standsFor: "https://kubernetes.default.svc.cluster.local",
    jwksPath: "/openid/v1/jwks",
    claims: kubernetesClaims,
  },
};
