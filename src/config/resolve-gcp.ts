import type { AccessBoundaryRule, GcpSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import { resolveGcpRights } from "./resolve-gcp-rights.js";
import type { GcpBlock } from "./schema-gcp.js";
import { listOf } from "./schema-values.js";

const DEFAULT_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"];

type WrittenRule = NonNullable<GcpBlock["access_boundary"]>[number];

/** Defaults put in. Answers undefined when something was reported. */
export function resolveGcp(block: GcpBlock, context: BlockContext): GcpSettings | undefined {
  const { workload_identity_provider: workloadIdentityProvider, service_account, project_id, audience } = block;
  const rights = resolveGcpRights(block, context);
  if (workloadIdentityProvider === undefined) {
    context.report(["workload_identity_provider"], "is missing: which provider to trade the identity token at");
    return undefined;
  }
  return {
    workloadIdentityProvider,
    ...(service_account !== undefined && { serviceAccount: service_account }),
    ...(project_id !== undefined && { projectId: project_id }),
    scopes: block.scopes ?? DEFAULT_SCOPES,
    accessBoundary: (block.access_boundary ?? []).map(resolveRule),
    ...rights,
    metadata: block.metadata ?? false,
    ...(audience !== undefined && { audiences: listOf(audience) }),
  };
}

function resolveRule(rule: WrittenRule): AccessBoundaryRule {
  const condition = rule.availability_condition;
  return {
    availableResource: rule.available_resource,
    availablePermissions: rule.available_permissions,
    ...(condition !== undefined && {
      availabilityCondition: {
        expression: condition.expression,
        ...(condition.title !== undefined && { title: condition.title }),
        ...(condition.description !== undefined && { description: condition.description }),
      },
    }),
  };
}
