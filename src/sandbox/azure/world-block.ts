import * as z from "zod/mini";
import { mapValues } from "../map-values.js";
import { parseCondition } from "./authorization/condition.js";
import { isBuiltInRole } from "./roles.js";
import {
  type AzureApp,
  type AzureWorld,
  DEFAULT_PIM_POLICY,
  defaultAzure,
  type PimPolicy,
  type RoleAssignment,
} from "./world.js";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SCOPE = /^\/(?:subscriptions|providers\/Microsoft\.Management\/managementGroups)\//i;
const milliseconds = z.optional(z.int().check(z.minimum(0)));
const isCondition = (text: string): boolean => parseCondition(text) !== undefined;
const uuid = (what: string) => z.string().check(z.regex(UUID, `${what} is a UUID`));

const appSchema = z.strictObject({
  name: z.optional(z.string()),
  object_id: z.optional(uuid("an object id")),
  federated_credentials: z.array(
    z.strictObject({
      issuer: z.string(),
      subject: z.string(),
      audience: z._default(z.string(), "api://AzureADTokenExchange"),
    }),
  ),
  roles: z._default(
    z.array(
      z.strictObject({
        role: z.string().check(z.refine(isBuiltInRole, "the sandbox does not know this role")),
        scope: z.string().check(z.regex(SCOPE, "a scope is a resource id, /subscriptions/…")),
        condition: z.optional(z.string().check(z.refine(isCondition, "it is not a condition of a role assignment"))),
      }),
    ),
    [],
  ),
});

/** The `azure` block of a world file; what is absent stays as by default. */
export const azureWorldSchema = z.strictObject({
  tenant_id: z.optional(uuid("a tenant id")),
  domain: z.optional(z.string()),
  subscription_id: z.optional(uuid("a subscription id")),
  resource_groups: z.optional(z.array(z.string())),
  apps: z.optional(z.record(uuid("a client id"), appSchema)),
  storage_accounts: z.optional(
    z.record(
      z
        .string()
        .check(z.regex(/^[a-z0-9]{3,24}$/, "a storage account's name is 3 to 24 lower-case letters and digits")),
      z.strictObject({
        resource_group: z.string(),
        containers: z.record(z.string(), z.record(z.string(), z.string())),
      }),
    ),
  ),
  token_lifetime: z.optional(z.int().check(z.minimum(60), z.maximum(86_400))),
  role_propagation_ms: milliseconds,
  role_release_ms: milliseconds,
  role_minimum_age_ms: milliseconds,
  role_provisioning_ms: milliseconds,
  pim_licence: z.optional(z.boolean()),
  pim_policy: z.optional(
    z.strictObject({
      requires_justification: z._default(z.boolean(), DEFAULT_PIM_POLICY.requiresJustification),
      max_assignment_days: z.optional(z.int().check(z.minimum(1))),
    }),
  ),
});

export function resolveAzureWorld(block: z.infer<typeof azureWorldSchema>): AzureWorld {
  const byDefault = defaultAzure();
  return {
    tenantId: block.tenant_id ?? byDefault.tenantId,
    domain: block.domain ?? byDefault.domain,
    subscriptionId: block.subscription_id ?? byDefault.subscriptionId,
    resourceGroups: block.resource_groups ?? byDefault.resourceGroups,
    apps: block.apps === undefined ? byDefault.apps : mapValues(block.apps, resolveApp),
    storageAccounts:
      block.storage_accounts === undefined
        ? byDefault.storageAccounts
        : mapValues(block.storage_accounts, ({ resource_group, containers }) => ({
            resourceGroup: resource_group,
            containers,
          })),
    tokenLifeSeconds: block.token_lifetime ?? byDefault.tokenLifeSeconds,
    ...(block.role_propagation_ms !== undefined && { rolePropagationMs: block.role_propagation_ms }),
    ...(block.role_release_ms !== undefined && { roleReleaseMs: block.role_release_ms }),
    ...(block.role_minimum_age_ms !== undefined && { roleMinimumAgeMs: block.role_minimum_age_ms }),
    ...(block.role_provisioning_ms !== undefined && { roleProvisioningMs: block.role_provisioning_ms }),
    ...(block.pim_licence !== undefined && { hasPimLicence: block.pim_licence }),
    ...(block.pim_policy !== undefined && { pimPolicy: resolvePolicy(block.pim_policy) }),
  };
}

function resolveApp(app: z.infer<typeof appSchema>): AzureApp {
  const { name, object_id: objectId, federated_credentials: federatedCredentials, roles } = app;
  return {
    ...(name !== undefined && { name }),
    ...(objectId !== undefined && { objectId }),
    federatedCredentials,
    roles: roles.map(resolveRole),
  };
}

function resolveRole({ role, scope, condition }: z.infer<typeof appSchema>["roles"][number]): RoleAssignment {
  return { role, scope, ...(condition !== undefined && { condition }) };
}

function resolvePolicy(block: {
  requires_justification: boolean;
  max_assignment_days?: number | undefined;
}): PimPolicy {
  const { requires_justification: requiresJustification, max_assignment_days: maxAssignmentDays } = block;
  return { requiresJustification, ...(maxAssignmentDays !== undefined && { maxAssignmentDays }) };
}
