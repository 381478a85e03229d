import { AgentctlError } from "../../../core/errors.js";
import type { AwsHop, PolicyDocument } from "../../../core/profile.js";
import type { ClaimTest, TrustScope } from "../../../core/trust.js";

export interface RoleName {
  readonly arn: string;
  readonly partition: string;
  readonly accountId: string;
  /** With a slash at both ends. */
  readonly path: string;
  readonly name: string;
}

/** The parts of a role's ARN. */
export function readRoleArn(arn: string): RoleName {
  const [, partition = "", , , accountId = "", ...resource] = arn.split(":");
  const segments = resource.join(":").split("/").slice(1);
  const name = segments.pop() ?? "";
  return { arn, partition, accountId, path: `/${segments.map((segment) => `${segment}/`).join("")}`, name };
}

/** How IAM names the issuer: in the provider's ARN and before each of its condition keys. */
export function issuerPathOf(scope: Pick<TrustScope, "issuer">): string {
  return scope.issuer.replace(/^https:\/\//, "");
}

export function providerArnOf(role: RoleName, scope: Pick<TrustScope, "issuer">): string {
  return `arn:${role.partition}:iam::${role.accountId}:oidc-provider/${issuerPathOf(scope)}`;
}

/**
 * Who may be the first role: one issuer's tokens for one audience, with exactly this subject and these claims.
 * `StringEquals` alone: no wildcard means anything in it.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function webIdentityTrust(role: RoleName, scope: TrustScope, tests: readonly ClaimTest[]): PolicyDocument {
  const key = (claim: string): string => `${issuerPathOf(scope)}:${claim}`;
  const values = [
    ["aud", scope.audience],
    ["sub", scope.subject],
    ...tests.map(({ claim, value }) => [claim, value]),
  ] as [string, string][];
  return policy({
    Sid: "TheCallerOfThisProfile",
    Effect: "Allow",
    Principal: { Federated: providerArnOf(role, scope) },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: Object.fromEntries(values.map(([claim, value]) => [key(claim), policyText(value)])) },
  });
}

/**
 * Who may be a further role of the chain: the one before it, by its ARN. The condition stays when IAM replaces the
 * principal by its unique id, so that both have to be the same role.
 */
export function chainedTrust(previousArn: string, hop: AwsHop): PolicyDocument {
  return policy({
    Sid: "TheRoleBeforeInTheChain",
    Effect: "Allow",
    Principal: { AWS: previousArn },
    Action: ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
    Condition: {
      ArnEquals: { "aws:PrincipalArn": previousArn },
      ...(hop.externalId !== undefined && { StringEquals: { "sts:ExternalId": policyText(hop.externalId) } }),
    },
  });
}

export function policy(...statements: readonly Readonly<Record<string, unknown>>[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/** A value that means itself: `${` begins a policy variable, so that `${aws:…}` would mean whatever the caller is. */
function policyText(value: string): string {
  const foreign = value.includes("${") ? "${" : /[^\x20-\xff]/u.exec(value)?.[0];
  if (foreign === undefined) return value;
  throw new AgentctlError("CONFIG_INVALID", `a trust policy of IAM cannot compare a value with ${foreign} in it`, {
    hint: "rename what has it, such as the branch or the environment",
  });
}
