import * as z from "zod/mini";
import { check } from "../../check.js";

const conditionSchema = z.strictObject({
  title: z._default(z.string(), ""),
  description: z.optional(z.string()),
  expression: z._default(z.string(), ""),
  location: z.optional(z.string()),
});
const bindingSchema = z.strictObject({
  role: z.string(),
  members: z._default(z.array(z.string()), []),
  condition: z.optional(conditionSchema),
});
const versionSchema = z._default(z.int(), 0);
const policySchema = z.strictObject({
  version: versionSchema,
  etag: z.optional(z.string()),
  bindings: z._default(z.array(bindingSchema), []),
  auditConfigs: z.optional(z.array(z.unknown())),
});
const bucketPolicySchema = z.extend(policySchema, {
  kind: z.optional(z.string()),
  resourceId: z.optional(z.string()),
});
const settingSchema = z.strictObject({ policy: policySchema, updateMask: z.optional(z.string()) });
const gettingSchema = z.strictObject({
  options: z._default(z.strictObject({ requestedPolicyVersion: versionSchema }), { requestedPolicyVersion: 0 }),
});
const nothingSchema = z.strictObject({});
const testingSchema = z.strictObject({ permissions: z._default(z.array(z.string()), []) });

export type AskedPolicy = z.output<typeof policySchema>;

/** A body that is not what the method takes; the message says where. */
export class UnfitBody extends Error {}

/** What the methods of Resource Manager and IAM take. */
export const readSetting = (body: unknown) => read(settingSchema, body);
export const readGetting = (body: unknown) => read(gettingSchema, body);
/** The body of a method that takes none. */
export const readNothing = (body: unknown) => read(nothingSchema, body);
export const readTesting = (body: unknown) => read(testingSchema, body);
/** Cloud Storage takes the policy itself. */
export const readAskedPolicy = (body: unknown): AskedPolicy => read(bucketPolicySchema, body);

function read<Schema extends z.core.$ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const checked = check(schema, body);
  if ("data" in checked) return checked.data;
  const { path, message } = checked.wrong;
  throw new UnfitBody(`Invalid JSON payload received. ${message}${path === "" ? "" : ` at '${path}'`}.`);
}
