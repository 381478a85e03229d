import { formatInstant } from "../../core/durations.js";
import { WireError } from "../wire-error.js";
import type { WorldDefinition } from "../world.js";
import { type AuthorizationQuestion, evaluatePolicies } from "./evaluator.js";
import type { Session } from "./sessions.js";

export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

/** Why a call is refused, in the words AWS ends its message with; undefined when it is allowed. */
export type Refusal =
  | "explicit session deny"
  | "explicit identity deny"
  | "no session allow"
  | "no identity allow"
  | "no resource allow";

/** The role's policies ∩ the session's. With no session policies, the role's alone. */
export function findRefusal(
  session: Session,
  world: WorldDefinition,
  access: AccessRequest,
  now: number,
): Refusal | undefined {
  const question = askAs(session, access, now);
  const narrowed = session.sessionPolicies.length > 0;
  const bySession = narrowed ? evaluatePolicies(session.sessionPolicies, question) : "allowed";
  const byRole = evaluatePolicies(world.roles[session.roleArn]?.policies ?? [], question);
  if (byRole === "denied") return "explicit identity deny";
  if (bySession === "denied") return "explicit session deny";
  if (byRole !== "allowed") return "no identity allow";
  return bySession === "allowed" ? undefined : "no session allow";
}

/** AWS's AccessDenied for a refusal. `quoted` is S3's way, which puts the resource in quotes. */
export function refusalError(session: Session, access: AccessRequest, refusal: Refusal, quoted: boolean): WireError {
  const resource = quoted ? `"${access.resource}"` : access.resource;
  const subject = `User: ${session.arn} is not authorized to perform: ${access.action} on resource: ${resource}`;
  return new WireError(403, "AccessDenied", `${subject} ${explain(refusal, access.action)}`);
}

function explain(refusal: Refusal, action: string): string {
  switch (refusal) {
    case "explicit session deny":
      return "with an explicit deny in a session policy";
    case "explicit identity deny":
      return "with an explicit deny in an identity-based policy";
    case "no session allow":
      return `because no session policy allows the ${action} action`;
    case "no resource allow":
      return `because no resource-based policy allows the ${action} action`;
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
