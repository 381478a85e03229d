import { runUnsafeSimulation } from "@cloud-copilot/iam-simulate";
import type { PolicyDocument } from "../../core/profile.js";

export interface AuthorizationQuestion {
  /** The caller's ARN. */
  readonly principal: string;
  /** Such as `s3:GetObject`. */
  readonly action: string;
  /** An ARN, or `*` for an action without a resource. */
  readonly resource: string;
  readonly accountId: string;
  /** Context keys; a list for a multivalued one. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

export type Verdict = "allowed" | "denied" | "not allowed";

/**
 * What a set of policies says: an explicit deny in any of them wins, else an allow in any, else nothing.
 * The simulator's checked entry point would read megabytes of service data to validate action names,
 * which AWS does not do with policies either.
 */
export function evaluatePolicies(policies: readonly PolicyDocument[], question: AuthorizationQuestion): Verdict {
  const result = runUnsafeSimulation(
    {
      request: {
        principal: question.principal,
        action: question.action,
        resource: { resource: question.resource, accountId: question.accountId },
        contextVariables: question.context as Record<string, string | string[]>,
      },
      identityPolicies: policies.map((policy, index) => ({ name: String(index), policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result === "Allowed") return "allowed";
  return result === "ExplicitlyDenied" ? "denied" : "not allowed";
}
