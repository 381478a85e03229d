import * as z from "zod/mini";
import type { CloudName, CloudSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import { resolveAws } from "./resolve-aws.js";
import { awsSchema } from "./schema-aws.js";

/** The one list of the clouds that a profile can name: a schema and a resolver each. */
export const CLOUD_SCHEMAS = { aws: z.optional(awsSchema) } as const;

export type CloudBlocks = { readonly [Name in CloudName]?: z.infer<(typeof CLOUD_SCHEMAS)[Name]> };

/** The settings of every cloud that the profile names; what is wrong is reported to the context. */
export function resolveClouds(blocks: CloudBlocks, contextOf: (cloud: CloudName) => BlockContext): CloudSettings {
  const aws = blocks.aws === undefined ? undefined : resolveAws(blocks.aws, contextOf("aws"));
  return { ...(aws !== undefined && { aws }) };
}
