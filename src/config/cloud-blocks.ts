import * as z from "zod/mini";
import type { CloudName, CloudSettings } from "../core/profile.js";
import type { BlockContext } from "./block-context.js";
import { resolveAws } from "./resolve-aws.js";
import { resolveAzure } from "./resolve-azure.js";
import { resolveGcp } from "./resolve-gcp.js";
import { awsSchema } from "./schema-aws.js";
import { azureSchema } from "./schema-azure.js";
import { gcpSchema } from "./schema-gcp.js";

/** The one list of the clouds that a profile can name: a schema and a resolver each. */
export const CLOUD_SCHEMAS = {
  aws: z.optional(awsSchema),
  azure: z.optional(azureSchema),
  gcp: z.optional(gcpSchema),
} as const;

export type CloudBlocks = { readonly [Name in CloudName]?: z.infer<(typeof CLOUD_SCHEMAS)[Name]> };

/** The settings of every cloud that the profile names; what is wrong is reported to the context. */
export function resolveClouds(blocks: CloudBlocks, contextOf: (cloud: CloudName) => BlockContext): CloudSettings {
  const aws = blocks.aws === undefined ? undefined : resolveAws(blocks.aws, contextOf("aws"));
  const azure = blocks.azure === undefined ? undefined : resolveAzure(blocks.azure, contextOf("azure"));
  const gcp = blocks.gcp === undefined ? undefined : resolveGcp(blocks.gcp, contextOf("gcp"));
  return {
    ...(aws !== undefined && { aws }),
    ...(azure !== undefined && { azure }),
    ...(gcp !== undefined && { gcp }),
  };
}
