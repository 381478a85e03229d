import type { PolicyDocument } from "../../../core/profile.js";
import type { ClaimTest, TrustRequest } from "../../../core/trust.js";
import { boundaryArnOf, boundaryNameOf } from "./boundary.js";
import { policyNameOf, type RolePlan, SHORTEST_MAX_SECONDS } from "./roles.js";
import { policy, readRoleArn, webIdentityTrust } from "./trust-policy.js";

const READS = ["iam:GetRole", "iam:ListRolePolicies"] as const;
const WRITES = ["iam:PutRolePolicy", "iam:DeleteRolePolicy"] as const;

/**
 * The role, if the profile names one, that takes sessions back: for the same caller as the first, and good for nothing
 * but the last role's own policies.
 */
export function planRevoker(
  request: TrustRequest<"aws">,
  tests: readonly ClaimTest[],
  last: RolePlan,
): RolePlan | undefined {
  const { settings, scope } = request;
  if (settings.revoker === undefined) return undefined;
  const role = readRoleArn(settings.revoker.roleArn);
  const where = settings.acceptEscalation ? "" : ", while that has its boundary";
  return {
    ...role,
    kind: "revoker",
    label: "revoker",
    trust: webIdentityTrust(role, scope, tests),
    boundary: revokerBoundary(last.arn),
    boundaryName: boundaryNameOf(role),
    permissions: revokerPermissions(last, settings.acceptEscalation),
    permissionsWhy: [`Puts a Deny for one session on ${last.name} and takes it off again${where}.`],
    policyName: policyNameOf(request),
    managedPolicyArns: [],
    isToBeFilled: false,
    holdsDenies: false,
    maxSessionSeconds: SHORTEST_MAX_SECONDS,
  };
}

/**
 * Who may write a role's policies may give it anything. Its boundary is what holds, so that without the boundary
 * nothing may be written: `iam:PermissionsBoundary` is the one that the role has at that time.
 */
function revokerPermissions(last: RolePlan, acceptEscalation: boolean): PolicyDocument {
  const bounded = { StringEquals: { "iam:PermissionsBoundary": boundaryArnOf(last) } };
  return policy(
    { Sid: "LookAtTheRole", Effect: "Allow", Action: [...READS], Resource: last.arn },
    {
      Sid: "WriteItsOwnPolicies",
      Effect: "Allow",
      Action: [...WRITES],
      Resource: last.arn,
      ...(!acceptEscalation && { Condition: bounded }),
    },
  );
}

function revokerBoundary(lastArn: string): PolicyDocument {
  const actions = [...READS, ...WRITES];
  return policy(
    { Sid: "TheRolesOwnPolicies", Effect: "Allow", Action: actions, Resource: lastArn },
    { Sid: "AndNothingElse", Effect: "Deny", NotAction: actions, Resource: "*" },
    { Sid: "AndOfNoOtherRole", Effect: "Deny", Action: "*", NotResource: lastArn },
  );
}
