import * as z from "zod/mini";
import { mapValues } from "../map-values.js";
import { isExpression } from "./cel.js";
import { isRole } from "./iam.js";
import { defaultGcp, type GcpProvider, type GcpWorld, type IamBinding } from "./world.js";

const expression = z.string().check(z.refine(isExpression, "this is not a CEL expression"));
const PROVIDER = /^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+\/providers\/[a-z0-9-]+$/;

const bindingSchema = z.strictObject({
  role: z.string().check(z.refine(isRole, "the sandbox does not know this role")),
  members: z.array(z.string()),
  condition: z.optional(expression),
});
const bindings = z._default(z.array(bindingSchema), []);

const providerSchema = z.strictObject({
  issuer: z.string(),
  allowed_audiences: z.optional(z.array(z.string())),
  attribute_mapping: z._default(z.record(z.string(), expression), { "google.subject": "assertion.sub" }),
  attribute_condition: z.optional(expression),
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
  buckets: z.optional(z.record(z.string(), z.strictObject({ objects: z.record(z.string(), z.string()), bindings }))),
});

export function resolveGcpWorld(block: z.infer<typeof gcpWorldSchema>): GcpWorld {
  const byDefault = defaultGcp();
  const { providers, service_accounts: accounts, buckets } = block;
  return {
    projectId: block.project_id ?? byDefault.projectId,
    projectNumber: block.project_number ?? byDefault.projectNumber,
    providers: providers === undefined ? byDefault.providers : mapValues(providers, resolveProvider),
    serviceAccounts:
      accounts === undefined
        ? byDefault.serviceAccounts
        : mapValues(accounts, (account) => account.bindings.map(resolveBinding)),
    bindings: block.bindings?.map(resolveBinding) ?? byDefault.bindings,
    buckets:
      buckets === undefined
        ? byDefault.buckets
        : mapValues(buckets, (bucket) => ({ objects: bucket.objects, bindings: bucket.bindings.map(resolveBinding) })),
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
  return { role, members, ...(condition !== undefined && { condition }) };
}
