import { AgentctlError } from "../../../core/errors.js";
import type { Secret } from "../../../core/secret.js";
import type { ServiceEndpoint } from "../endpoint.js";
import { explainFailure, type Refusal } from "../service-errors.js";
import { plainCode } from "../service-failure.js";

/** What the revoker was trying. */
export interface RoleQuestion {
  /** Such as `PutRolePolicy`. */
  readonly action: string;
  readonly roleArn: string;
  readonly revokerRoleArn: string;
  readonly endpoint: ServiceEndpoint;
  readonly secrets: readonly Secret[];
}

/** Turns what the SDK threw when IAM was asked about a role into an error for the user. */
export function explainIamFailure(thrown: unknown, question: RoleQuestion): AgentctlError {
  const { endpoint, secrets, roleArn, revokerRoleArn } = question;
  const facts = { role: roleArn, revoker: revokerRoleArn };
  return explainFailure(thrown, { endpoint, secrets, facts, refuse: (refused) => refusal(refused, question) });
}

/** Whether IAM refused with this code. */
export function isRefusedWith(thrown: unknown, code: "LimitExceeded" | "NoSuchEntity"): boolean {
  return thrown instanceof AgentctlError && plainCode(String(thrown.facts["awsCode"])) === code;
}

function refusal({ code, text, facts }: Refusal, { action, roleArn, revokerRoleArn }: RoleQuestion): AgentctlError {
  const message = `AWS IAM refused iam:${action} on ${roleArn} to ${revokerRoleArn}: ${text} (${code})`;
  return new AgentctlError("CLOUD_DENIED", message, { facts, hint: hintOf(code, roleArn, revokerRoleArn) });
}

function hintOf(code: string, roleArn: string, revokerRoleArn: string): string {
  switch (plainCode(code)) {
    case "AccessDenied":
      return `${revokerRoleArn} needs iam:GetRole, iam:ListRolePolicies, iam:PutRolePolicy and iam:DeleteRolePolicy on ${roleArn}; agentctl setup aws writes that`;
    case "NoSuchEntity":
      return `check that ${roleArn} exists`;
    case "LimitExceeded":
      return "a role's inline policies take 10,240 characters in all: move the role's own to managed policies";
    case "SignatureDoesNotMatch":
    case "RequestExpired":
    case "InvalidClientTokenId":
      return "check this machine's clock";
    default:
      return `look in CloudTrail for this refusal to ${revokerRoleArn}`;
  }
}
