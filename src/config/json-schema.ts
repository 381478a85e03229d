import * as z from "zod/mini";
import { projectSchema, userSchema } from "./schema.js";

/** Where the schema of this version is found, for editors: `# yaml-language-server: $schema=…`. */
const NOTE =
  "For completion and checks in an editor, begin the file with: # yaml-language-server: $schema=PATH (in a repository with agentctl as a dependency: node_modules/agentctl/schema/agentctl.schema.json)";

/** The JSON Schemas (draft 7, which editors know best) of both files, by the name they are shipped under. */
export function jsonSchemas(): Readonly<Record<string, unknown>> {
  return {
    "agentctl.schema.json": describe(projectSchema, "agentctl.yaml: the task profiles of a project"),
    "user-config.schema.json": describe(userSchema, "$XDG_CONFIG_HOME/agentctl/config.yaml: the user's own settings"),
  };
}

function describe(schema: z.core.$ZodType, title: string): unknown {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return { $schema, title, $comment: NOTE, ...rest };
}
