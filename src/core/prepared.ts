import type { Decision, ResolvedCommand } from "./decision.js";
import type { Identity } from "./identity.js";
import type { GrantPlan, LeaseTerms } from "./lease.js";
import type { Profile } from "./profile.js";

/** Everything that is settled before anything is issued. */
export interface Prepared {
  readonly profile: Profile;
  readonly terms: LeaseTerms;
  readonly plans: readonly GrantPlan[];
  readonly command: ResolvedCommand;
  readonly identity: Identity;
  readonly decision: Decision;
}
