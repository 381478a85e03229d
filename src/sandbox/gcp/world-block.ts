import * as z from "zod/mini";
import { mapValues } from "../map-values.js";
import { isExpression } from "./cel.js";
import { isCustomRoleName, isRole } from "./roles.js";
import {
  defaultGcp,
  type GcpBucket,
  type GcpEntitlement,
  type GcpProvider,
  type GcpWorld,
  type IamBinding,
} from "./world.js";

const NO_EXPRESSION = "this is not a CEL expression";
const expression = z.string().check(z.refine(isExpression, NO_EXPRESSION));
const PROVIDER = /^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/providers\/[a-z0-9-]+$/;

const ENTITLEMENT = /^(?:projects|folders|organizations)\/[^/]+\/locations\/global\/entitlements\/[a-z0-9-]+$/;

const role = z
  .string()
  .check(z.refine((name) => isRole(name) || isCustomRoleName(name), "the sandbox does not know this role"));
const bindingSchema = z.strictObject({
  role,
  members: z.array(z.string()),
  condition: z.optional(
    z
      .union([
        z.string(),
        z.strictObject({ title: z.string(), description: z.optional(z.string()), expression: z.string() }),
      ])
      .check(z.refine((given) => isExpression(typeof given === "string" ? given : given.expression), NO_EXPRESSION)),
  ),
});
const bindings = z._default(z.array(bindingSchema), []);

const providerSchema = z.strictObject({
  issuer: z.string(),
  allowed_audiences: z.optional(z.array(z.string())),
  attribute_mapping: z._default(z.record(z.string(), expression), { "google.subject": "assertion.sub" }),
  attribute_condition: z.optional(expression),
});

const entitlementSchema = z.strictObject({
  max_request_seconds: z.int().check(z.minimum(1800), z.maximum(604_800)),
  eligible_users: z.array(z.string()),
  roles: z.array(z.strictObject({ role, condition: z.optional(expression) })),
  approval: z.optional(z.enum(["none", "manual"])),
  justification: z.optional(z.enum(["optional", "required"])),
});

/** The `gcp` block of a world file; what is absent stays as by default. */
export const gcpWorldSchema = z.strictObject({
  project_id: z.optional(z.string()),
  project_number: z.optional(z.string().check(z.regex(/^\d+$/, "a project number is digits"))),
  providers: z.optional(
    z.record(
      z.string().check(z.regex(PROVIDER, "a provider is named by its resource name, projects/…")),
      providerSchema,
    ),
  ),
  service_accounts: z.optional(z.record(z.string(), z.strictObject({ bindings }))),
  bindings: z.optional(z.array(bindingSchema)),
  ancestors: z.optional(
    z.record(
      z
        .string()
        .check(z.regex(/^(?:folders|organizations)\/\d+$/, "an ancestor is folders/NUMBER or organizations/NUMBER")),
      z.array(bindingSchema),
    ),
  ),
  roles: z.optional(
    z.record(
      z.string().check(z.refine(isCustomRoleName, "a custom role is named by its resource name")),
      z.array(z.string()),
    ),
  ),
  entitlements: z.optional(
    z.record(
      z.string().check(z.regex(ENTITLEMENT, "an entitlement is named by its resource name, projects/…")),
      entitlementSchema,
    ),
  ),
  policy_propagation_ms: z.optional(z.int().check(z.minimum(0))),
  buckets: z.optional(
    z.record(
      z.string(),
      z.strictObject({
        objects: z.record(z.string(), z.string()),
        bindings,
        uniform_bucket_level_access: z.optional(z.boolean()),
      }),
    ),
  ),
});

export function resolveGcpWorld(block: z.infer<typeof gcpWorldSchema>): GcpWorld {
  const byDefault = defaultGcp();
  const { providers, service_accounts: accounts, buckets, ancestors, entitlements } = block;
  return {
    projectId: block.project_id ?? byDefault.projectId,
    projectNumber: block.project_number ?? byDefault.projectNumber,
    providers: providers === undefined ? byDefault.providers : mapValues(providers, resolveProvider),
    serviceAccounts:
      accounts === undefined
        ? byDefault.serviceAccounts
        : mapValues(accounts, (account) => account.bindings.map(resolveBinding)),
    bindings: block.bindings?.map(resolveBinding) ?? byDefault.bindings,
    ancestors:
      ancestors === undefined ? byDefault.ancestors : mapValues(ancestors, (bindings) => bindings.map(resolveBinding)),
    roles: block.roles ?? byDefault.roles,
    entitlements: entitlements === undefined ? byDefault.entitlements : mapValues(entitlements, resolveEntitlement),
    ...(block.policy_propagation_ms !== undefined && { policyPropagationMs: block.policy_propagation_ms }),
    buckets: buckets === undefined ? byDefault.buckets : mapValues(buckets, resolveBucket),
  };
}

function resolveBucket(bucket: {
  objects: Record<string, string>;
  bindings: z.infer<typeof bindingSchema>[];
  uniform_bucket_level_access?: boolean | undefined;
}): GcpBucket {
  const { objects, uniform_bucket_level_access: hasUniformAccess } = bucket;
  return {
    objects,
    bindings: bucket.bindings.map(resolveBinding),
    ...(hasUniformAccess !== undefined && { hasUniformAccess }),
  };
}

function resolveProvider(provider: z.infer<typeof providerSchema>): GcpProvider {
  const { allowed_audiences: allowedAudiences, attribute_condition: attributeCondition } = provider;
  return {
    issuer: provider.issuer,
    ...(allowedAudiences !== undefined && { allowedAudiences }),
    attributeMapping: provider.attribute_mapping,
    ...(attributeCondition !== undefined && { attributeCondition }),
  };
}

function resolveBinding({ role, members, condition }: z.infer<typeof bindingSchema>): IamBinding {
  if (condition === undefined || typeof condition === "string") {
    return { role, members, ...(condition !== undefined && { condition }) };
  }
  const { title, description, expression } = condition;
  return { role, members, condition: { title, ...(description !== undefined && { description }), expression } };
}

function resolveEntitlement(block: z.infer<typeof entitlementSchema>): GcpEntitlement {
  return {
    maxRequestSeconds: block.max_request_seconds,
    eligibleUsers: block.eligible_users,
    roles: block.roles.map(({ role, condition }) => ({ role, ...(condition !== undefined && { condition }) })),
    ...(block.approval !== undefined && { approval: block.approval }),
    ...(block.justification !== undefined && { justification: block.justification }),
  };
}
