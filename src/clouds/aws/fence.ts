import { formatInstant } from "../../core/durations.js";
import type { AwsSettings } from "../../core/profile.js";

export type PolicyStatement = Readonly<Record<string, unknown>>;

/**
 * What a session could make that outlives it: further sessions and tokens of STS; users, keys and
 * policies of IAM. `sts:Get*Token*` leaves GetCallerIdentity alone, and takes in the service bearer
 * tokens (CodeArtifact, ECR Public). IAM's are denied by verb, since every one of its creating verbs
 * can make authority that lasts, and a list by name would cost a fifth of the budget:
 * Add (user to group, client id to provider), Attach, Create, Put (inline policies, boundaries),
 * Reset (service-specific credentials), Set (default policy version), Update (access keys, login
 * profiles, trust policies), Upload (SSH keys, signing certificates). Reading, tagging, deleting
 * and PassRole stay as the role has them.
 */
const LASTING_IAM_ACTIONS = [
  "iam:Add*",
  "iam:Attach*",
  "iam:Create*",
  "iam:Put*",
  "iam:Reset*",
  "iam:Set*",
  "iam:Update*",
  "iam:Upload*",
] as const;
/** With it a session could delete the deny that takes it, or another, back, before the deny is in effect. */
const DELETE_DENIES = "iam:DeleteRolePolicy";
const STS_SESSIONS = "sts:Assume*";
const STS_TOKENS = "sts:Get*Token*";

/**
 * Denies everything once STS's clock is past `fenceAt` (epoch ms).
 *
 * With `sparesForwarded`, calls that AWS makes on the session's behalf are spared. That test is
 * BoolIfExists, not Bool: not every service puts `aws:ViaAWSService` into a direct call's context, and
 * with Bool an absent key would be no match, so that exactly there the fence would not bite.
 */
export function denyAfter(fenceAt: number, sparesForwarded: boolean): PolicyStatement {
  const past = { DateGreaterThan: { "aws:CurrentTime": formatInstant(fenceAt) } };
  const direct = { BoolIfExists: { "aws:ViaAWSService": "false" } };
  return { Effect: "Deny", Action: "*", Resource: "*", Condition: sparesForwarded ? { ...past, ...direct } : past };
}

/**
 * Denies, always, what would outlive the session; with a list of roles, assuming those stays possible. Where sessions
 * are taken back by denies on the role, deleting those is denied likewise.
 */
export function denyDerivedSessions(
  allowed: AwsSettings["allowDerivedSessions"],
  areTakenBack = false,
): readonly PolicyStatement[] {
  if (allowed === true) return [];
  const lasting = [STS_TOKENS, ...LASTING_IAM_ACTIONS, ...(areTakenBack ? [DELETE_DENIES] : [])];
  if (allowed === false || allowed.length === 0) {
    return [{ Effect: "Deny", Action: [STS_SESSIONS, ...lasting], Resource: "*" }];
  }
  return [
    { Effect: "Deny", Action: STS_SESSIONS, NotResource: allowed.length === 1 ? allowed[0] : allowed },
    { Effect: "Deny", Action: lasting, Resource: "*" },
  ];
}
