import type { TrustedIssuer } from "../oidc/trusted-issuer.js";
import type { ServiceName } from "../service.js";
import type { LivePolicies } from "./policy/live-policies.js";
import type { GoogleTokens } from "./token-store.js";
import type { GcpWorld } from "./world.js";

/** What the embedded Google Cloud works with. */
export interface GcpContext {
  readonly world: GcpWorld;
  readonly issuer: TrustedIssuer;
  readonly tokens: GoogleTokens;
  readonly policies: LivePolicies;
  /** Where it is served. */
  readonly origin: string;
  now(service: ServiceName): number;
}
