import type { RoleAuthority } from "../iam/role-policies.js";
import type { SessionStore } from "../iam/sessions.js";
import type { TrustedIssuer } from "../oidc/trusted-issuer.js";
import type { WorldDefinition } from "../world.js";

/** What the embedded STS works with. */
export interface StsContext {
  readonly world: WorldDefinition;
  readonly issuer: TrustedIssuer;
  readonly sessions: SessionStore;
  /** What STS goes by when it is asked. */
  readonly authority: RoleAuthority;
  /** STS's own time, in milliseconds since the epoch. */
  now(): number;
}
