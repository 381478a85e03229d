import type { AwsSettings, PolicyDocument } from "../../../core/profile.js";
import { denyDerivedSessions } from "../fence.js";
import { policy, type RoleName, readRoleArn } from "./trust-policy.js";

type Statement = Readonly<Record<string, unknown>>;

/** What assuming a role is made of: the second and third travel with the first when the token set tags or an identity. */
export const ASSUMING = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"] as const;

/** A role that could take its boundary off would have none. */
const KEEP_BOUNDARIES: Statement = {
  Sid: "BoundariesStay",
  Effect: "Deny",
  Action: ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"],
  Resource: "*",
};

/** What changes a role's rights, or those of a policy; by verb, as the fence has them, and the deleting ones besides. */
const CHANGING = [
  "iam:Attach*",
  "iam:CreatePolicyVersion",
  "iam:Delete*",
  "iam:Detach*",
  "iam:Put*",
  "iam:Set*",
  "iam:Update*",
] as const;
const MAX_POLICY_NAME = 128;

/** At most 128 characters of IAM's own. */
export function boundaryNameOf({ name }: Pick<RoleName, "name">): string {
  return `agentctl-boundary-${name}`.slice(0, MAX_POLICY_NAME);
}

export function boundaryArnOf(role: RoleName): string {
  return `arn:${role.partition}:iam::${role.accountId}:policy${role.path}${boundaryNameOf(role)}`;
}

/**
 * The most that the last role can ever be, whatever is attached to it: the services that the profile's session policy
 * allows anything of, and nothing that outlives a session. The fence denies the same again in each session. Whatever it
 * may do in IAM, it cannot take off the Deny by which a session is taken back, nor disarm who puts it there.
 */
export function lastRoleBoundary(settings: AwsSettings): PolicyDocument {
  const denies = denyDerivedSessions(settings.allowDerivedSessions).map((statement, index) => ({
    Sid: `NothingThatOutlivesTheSession${index === 0 ? "" : index + 1}`,
    ...statement,
  }));
  const services = servicesOf(settings);
  const actions = services === undefined ? "*" : services.map((service) => `${service}:*`);
  const allow = { Sid: "AtMostTheseServices", Effect: "Allow", Action: actions, Resource: "*" };
  return policy(allow, ...denies, KEEP_BOUNDARIES, keepRights(settings));
}

function keepRights({ roleArn, chain, revoker }: AwsSettings): Statement {
  const roles = [chain.at(-1)?.roleArn ?? roleArn, ...(revoker === undefined ? [] : [revoker.roleArn])];
  const resources = roles.flatMap((arn) => [arn, boundaryArnOf(readRoleArn(arn))]);
  return { Sid: "ItsRightsStayAsTheyAre", Effect: "Deny", Action: [...CHANGING], Resource: resources };
}

/** A role before the last may assume the next, and nothing else. */
export function passingRoleBoundary(nextRoleArn: string): PolicyDocument {
  return policy(
    { Sid: "AssumeTheNextRole", Effect: "Allow", Action: [...ASSUMING], Resource: nextRoleArn },
    { Sid: "AndNothingElse", Effect: "Deny", NotAction: [...ASSUMING], Resource: "*" },
    { Sid: "AndNoOtherRole", Effect: "Deny", Action: "*", NotResource: nextRoleArn },
  );
}

/** The services whose actions the session policy allows; undefined where it cannot be told, or there is none. */
export function servicesOf(settings: AwsSettings): readonly string[] | undefined {
  const { sessionPolicy, policyArns, allowDerivedSessions } = settings;
  if (sessionPolicy === undefined || policyArns.length > 0) return undefined;
  const statements = [sessionPolicy.document["Statement"]].flat() as Statement[];
  const allows = statements.filter((statement) => statement["Effect"] === "Allow");
  if (allows.some((statement) => statement["Action"] === undefined)) return undefined;
  const actions = allows.flatMap((statement) => [statement["Action"]].flat()).map(String);
  const derived = allowDerivedSessions === false ? [] : ["sts"];
  const services = [
    ...actions.map((action) => action.split(":")[0] ?? "").map((name) => name.toLowerCase()),
    ...derived,
  ];
  if (services.some((service) => !/^[a-z0-9-]+$/.test(service))) return undefined;
  return [...new Set(services)].sort();
}
