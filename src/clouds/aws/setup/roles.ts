import type { AwsSettings, PolicyDocument } from "../../../core/profile.js";
import type { ClaimTest, TrustRequest } from "../../../core/trust.js";
import { ASSUMING, boundaryNameOf, lastRoleBoundary, passingRoleBoundary } from "./boundary.js";
import { chainedTrust, policy, type RoleName, readRoleArn, webIdentityTrust } from "./trust-policy.js";

/** One role of the profile, as it is to be. */
export interface RolePlan extends RoleName {
  /** The token assumes the first and the revoker; the role before it a chained one. */
  readonly kind: "first" | "chained" | "revoker";
  /** Such as `role`, `chained_2`: unique among the roles, and a name in every output language. */
  readonly label: string;
  readonly trust: PolicyDocument;
  readonly boundary: PolicyDocument;
  /** At most 128 characters of IAM's own. */
  readonly boundaryName: string;
  /** What it may do, within the boundary. */
  readonly permissions: PolicyDocument;
  /** For whoever reads them; one line or several. */
  readonly permissionsWhy: readonly string[];
  readonly policyName: string;
  readonly managedPolicyArns: readonly string[];
  /** Nothing is known of what it must do, so it may do nothing until somebody says. */
  readonly isToBeFilled: boolean;
  readonly maxSessionSeconds: number;
  /** Whether a revoker puts denies on it, which nothing of what is written here knows of. */
  readonly holdsDenies: boolean;
}

/** The least that IAM takes as a role's longest session. */
export const SHORTEST_MAX_SECONDS = 3_600;
const LONGEST_MAX_SECONDS = 43_200;
const NEEDED = ["What the profile needs, and no more."];
const TO_BE_FILLED = [
  "TO BE FILLED IN: the profile does not say what it needs, so that until then the role",
  "may do nothing.",
];

/** All that stands in for what nobody has said yet; IAM takes no policy without a statement. */
const NOTHING_YET = policy({ Sid: "ToBeFilledIn", Effect: "Deny", Action: "*", Resource: "*" });

/** The roles of the profile in the order in which they are assumed. */
export function planRoles(request: TrustRequest<"aws">, tests: readonly ClaimTest[]): readonly RolePlan[] {
  const { settings, scope } = request;
  const hops = [{ roleArn: settings.roleArn }, ...settings.chain];
  return hops.map((hop, index) => {
    const role = readRoleArn(hop.roleArn);
    const previous = hops[index - 1]?.roleArn;
    const next = hops[index + 1]?.roleArn;
    return {
      ...role,
      kind: index === 0 ? "first" : "chained",
      label: index === 0 ? "role" : `chained_${index + 1}`,
      trust: previous === undefined ? webIdentityTrust(role, scope, tests) : chainedTrust(previous, hop),
      boundaryName: boundaryNameOf(role),
      policyName: policyNameOf(request),
      ...(next === undefined ? lastRole(settings) : passingRole(next)),
      holdsDenies: next === undefined && settings.revoker !== undefined,
      maxSessionSeconds: index === 0 && next === undefined ? maxSessionOf(request.ttlSeconds) : SHORTEST_MAX_SECONDS,
    };
  });
}

function lastRole(settings: AwsSettings) {
  const own = settings.sessionPolicy?.document;
  const isToBeFilled = own === undefined && settings.policyArns.length === 0;
  return {
    boundary: lastRoleBoundary(settings),
    permissions: own ?? (isToBeFilled ? NOTHING_YET : policy()),
    managedPolicyArns: settings.policyArns,
    permissionsWhy: isToBeFilled ? TO_BE_FILLED : NEEDED,
    isToBeFilled,
  };
}

function passingRole(next: string) {
  return {
    boundary: passingRoleBoundary(next),
    permissions: policy({ Sid: "AssumeTheNextRole", Effect: "Allow", Action: [...ASSUMING], Resource: next }),
    permissionsWhy: NEEDED,
    managedPolicyArns: [],
    isToBeFilled: false,
  };
}

export function policyNameOf({ profileName }: Pick<TrustRequest<"aws">, "profileName">): string {
  return `agentctl-${profileName}`;
}

/** As long as the lease may last: IAM takes 1 h to 12 h. */
function maxSessionOf(ttlSeconds: number): number {
  return Math.min(LONGEST_MAX_SECONDS, Math.max(SHORTEST_MAX_SECONDS, ttlSeconds));
}

/** Whether the role has a policy of its own, besides managed ones. */
export function hasOwnPolicy(role: Pick<RolePlan, "permissions">): boolean {
  return [role.permissions["Statement"]].flat().length > 0;
}
