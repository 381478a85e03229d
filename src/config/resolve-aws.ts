import type { AwsSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import type { AwsBlock } from "./schema-aws.js";
import { listOf } from "./schema-values.js";
import { readSessionPolicy } from "./session-policy.js";

/** The audience that AWS's own guides set up an identity provider with. */
const DEFAULT_AUDIENCE = "sts.amazonaws.com";

/** Defaults put in and the session policy read. Answers undefined when something was reported. */
export function resolveAws(block: AwsBlock, context: BlockContext): AwsSettings | undefined {
  const { role_arn: roleArn, session_policy: written } = block;
  if (roleArn === undefined) context.report(["role_arn"], "is missing: which role to assume");
  const sessionPolicy = written === undefined ? undefined : readSessionPolicy(written, context);
  if (roleArn === undefined || (written !== undefined && sessionPolicy === undefined)) return undefined;
  return {
    roleArn,
    ...(block.region !== undefined && { region: block.region }),
    ...(sessionPolicy !== undefined && { sessionPolicy }),
    policyArns: block.policy_arns ?? [],
    chain: (block.chain ?? []).map(({ role_arn, external_id }) => ({
      roleArn: role_arn,
      ...(external_id !== undefined && { externalId: external_id }),
    })),
    allowDerivedSessions: block.allow_derived_sessions ?? false,
    fenceForwarded: block.fence_forwarded ?? false,
    audiences: listOf(block.audience ?? DEFAULT_AUDIENCE),
    ...(block.revoker !== undefined && { revoker: { roleArn: block.revoker.role_arn } }),
    acceptEscalation: block.accept_escalation ?? false,
  };
}
