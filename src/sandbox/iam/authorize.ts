import { formatInstant } from "../../core/durations.js";
import type { PolicyDocument } from "../../core/profile.js";
import { WireError } from "../wire-error.js";
import { type AuthorizationQuestion, evaluatePolicies, type Verdict } from "./evaluator.js";
import type { RoleAuthority } from "./role-policies.js";
import type { Session } from "./sessions.js";

export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  /** What a refusal calls the resource, where that is not its ARN. */
  readonly shownAs?: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

/** Why a call is refused, in the words AWS ends its message with; undefined when it is allowed. */
export type Refusal =
  | "explicit session deny"
  | "explicit identity deny"
  | "explicit boundary deny"
  | "no session allow"
  | "no identity allow"
  | "no boundary allow"
  | "no resource allow";

/** The role's policies ∩ its permissions boundary ∩ the session's policies; of the latter two, where there are any. */
export function findRefusal(
  session: Session,
  authority: RoleAuthority,
  access: AccessRequest,
  now: number,
): Refusal | undefined {
  const question = askAs(session, access, now);
  const byRole = evaluatePolicies(authority.policiesOf(session.roleArn), question);
  const { byBoundary, bySession } = narrowings(session, authority, question);
  if (byRole === "denied") return "explicit identity deny";
  if (byBoundary === "denied") return "explicit boundary deny";
  if (bySession === "denied") return "explicit session deny";
  if (byRole !== "allowed") return "no identity allow";
  if (byBoundary !== "allowed") return "no boundary allow";
  return bySession === "allowed" ? undefined : "no session allow";
}

/** Whether what narrows the session leaves room for what a resource's own policy grants to its role by name. */
export function isWithinNarrowings(
  session: Session,
  authority: RoleAuthority,
  question: AuthorizationQuestion,
): boolean {
  const { byBoundary, bySession } = narrowings(session, authority, question);
  return byBoundary === "allowed" && bySession === "allowed";
}

function narrowings(session: Session, authority: RoleAuthority, question: AuthorizationQuestion) {
  const boundary = authority.boundaryOf(session.roleArn);
  const narrow = (policies: readonly PolicyDocument[]): Verdict =>
    policies.length === 0 ? "allowed" : evaluatePolicies(policies, question);
  return { byBoundary: narrow(boundary === undefined ? [] : [boundary]), bySession: narrow(session.sessionPolicies) };
}

/** AWS's AccessDenied for a refusal. `quoted` is S3's way, which puts the resource in quotes. */
export function refusalError(session: Session, access: AccessRequest, refusal: Refusal, quoted: boolean): WireError {
  const named = access.shownAs ?? access.resource;
  const resource = quoted ? `"${named}"` : named;
  const subject = `User: ${session.arn} is not authorized to perform: ${access.action} on resource: ${resource}`;
  return new WireError(403, "AccessDenied", `${subject} ${explain(refusal, access.action)}`);
}

function explain(refusal: Refusal, action: string): string {
  switch (refusal) {
    case "explicit session deny":
      return "with an explicit deny in a session policy";
    case "explicit identity deny":
      return "with an explicit deny in an identity-based policy";
    case "explicit boundary deny":
      return "with an explicit deny in a permissions boundary";
    case "no session allow":
      return `because no session policy allows the ${action} action`;
    case "no resource allow":
      return `because no resource-based policy allows the ${action} action`;
    case "no boundary allow":
      return `because no permissions boundary allows the ${action} action`;
    case "no identity allow":
      return `because no identity-based policy allows the ${action} action`;
  }
}

/** The question as AWS puts it to the policies, with the context keys that every call carries. */
export function askAs(session: Session, access: AccessRequest, now: number): AuthorizationQuestion {
  return {
    principal: session.arn,
    action: access.action,
    resource: access.resource,
    accountId: session.accountId,
    context: {
      "aws:CurrentTime": formatInstant(now),
      "aws:EpochTime": String(Math.floor(now / 1000)),
      "aws:TokenIssueTime": formatInstant(session.issuedAt),
      "aws:PrincipalArn": session.roleArn,
      "aws:PrincipalAccount": session.accountId,
      "aws:PrincipalType": "AssumedRole",
      "aws:userid": session.userId,
      "aws:SecureTransport": "true",
      "aws:SourceIp": "127.0.0.1",
      "aws:ViaAWSService": "false",
      "aws:PrincipalIsAWSService": "false",
      ...access.context,
    },
  };
}
