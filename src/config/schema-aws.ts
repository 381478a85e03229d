import * as z from "zod/mini";
import { externalId, policyArn, region, roleArn } from "./aws-values.js";
import { audienceValue, filledList, plainText } from "./schema-values.js";

/** STS takes ten managed policies a session. */
const MAX_POLICY_ARNS = 10;

/** The `aws` block of a profile, as written. What may come from a parent is optional here and asked for when resolved. */
export const awsSchema = z
  .strictObject({
    role_arn: z.optional(roleArn),
    region: z.optional(region),
    session_policy: z.optional(
      z
        .union([plainText("A JSON file, relative to the file that names it", 1024), z.record(z.string(), z.unknown())])
        .register(z.globalRegistry, {
          description:
            "An IAM policy, in a file or written here: what is issued is the role's permissions and this, whichever is less",
        }),
    ),
    policy_arns: z.optional(
      z
        .array(policyArn)
        .check(z.maxLength(MAX_POLICY_ARNS))
        .register(z.globalRegistry, { description: "Managed policies that narrow the session, beside session_policy" }),
    ),
    chain: z.optional(
      z.array(z.strictObject({ role_arn: roleArn, external_id: z.optional(externalId) })).register(z.globalRegistry, {
        description: "Roles to assume one after the other from role_arn; the narrowing is on the last",
      }),
    ),
    allow_derived_sessions: z.optional(
      z.union([z.boolean(), filledList("Roles that the child may assume", roleArn)]).register(z.globalRegistry, {
        description: "Whether the child may assume further roles: true, or the roles. Default false",
      }),
    ),
    fence_forwarded: z.optional(
      z.boolean().register(z.globalRegistry, {
        description: "Also stop, at the deadline, what AWS does on the session's behalf. Default false",
      }),
    ),
    audience: z.optional(audienceValue("sts.amazonaws.com", 255)),
    revoker: z.optional(
      z.strictObject({ role_arn: roleArn }).register(z.globalRegistry, {
        description:
          "The role, of the same account, that takes a session back at the lease's end: it puts a Deny for that session on the last role",
      }),
    ),
    accept_escalation: z.optional(
      z.boolean().register(z.globalRegistry, {
        description:
          "Let the revoker write policies on a role without a permissions boundary, on which it could grant itself anything. Default false",
      }),
    ),
  })
  .register(z.globalRegistry, { description: "What to be in AWS, and how narrowly" });

export type AwsBlock = z.infer<typeof awsSchema>;
