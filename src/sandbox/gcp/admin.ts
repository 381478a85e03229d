import { mapValues } from "../map-values.js";
import type { PamGrant } from "./pam/grant.js";
import type { GrantDelays, PamGrants } from "./pam/grants.js";
import type { PolicyBinding } from "./policy/binding.js";
import type { GcpAuthorizingService, HeldPolicy, LivePolicies } from "./policy/live-policies.js";

/**
 * What a test may see and do of the embedded Google Cloud besides its APIs. A holder of a policy is named by
 * `projects/ID`, `folders/NUMBER`, `organizations/NUMBER`, `projects/_/buckets/NAME` or
 * `projects/-/serviceAccounts/EMAIL`.
 */
export interface GcpAdmin {
  /** As IAM tells it now. @throws {Error} for a holder that is not there */
  policyOf(holder: string): HeldPolicy;
  /** By the holder's name. */
  policies(): Readonly<Record<string, HeldPolicy>>;
  /** Another's write, which nothing comes between and nothing refuses. @throws {Error} for a holder that is not there */
  changePolicy(holder: string, change: (bindings: readonly PolicyBinding[]) => readonly PolicyBinding[]): HeldPolicy;
  /** How long a change of a policy takes until it counts, in milliseconds, for one service or for all. */
  setPropagation(delayMs: number, service?: GcpAuthorizingService): void;
  propagation(): Readonly<Record<GcpAuthorizingService, number>>;
  /** Privileged Access Manager's grants, oldest first. */
  grants(): readonly PamGrant[];
  /** @throws {Error} for a grant that does not wait for approval */
  decideGrant(name: string, decision: "approve" | "deny"): void;
  setGrantDelays(delays: Partial<GrantDelays>): void;
  grantDelays(): GrantDelays;
}

export function createGcpAdmin(policies: LivePolicies, grants: PamGrants): GcpAdmin {
  const readPolicy = (holder: string): HeldPolicy => {
    grants.advance();
    const policy = policies.read(holder);
    if (policy === undefined) throw new Error(`there is no ${holder}`);
    return policy;
  };
  return {
    policyOf: readPolicy,
    policies: () => {
      grants.advance();
      return mapValues(policies.all(), (policy) => policy);
    },
    changePolicy: (holder, change) => policies.write(holder, change(readPolicy(holder).bindings)),
    setPropagation: policies.setPropagation,
    propagation: policies.propagation,
    grants: () => {
      grants.advance();
      return grants.all();
    },
    decideGrant: (name, decision) => {
      grants.advance();
      grants.decide(name, decision);
    },
    setGrantDelays: grants.setDelays,
    grantDelays: grants.delays,
  };
}
