import * as z from "zod/mini";
import { describeIssue } from "./describe-issue.js";
import type { ConfigPath } from "./problems.js";
import { didYouMean } from "./suggest.js";

export interface Invalid {
  readonly path: ConfigPath;
  readonly part: "key" | "value";
  readonly message: string;
}

export type Validated<Output> = { readonly data: Output } | { readonly invalid: readonly Invalid[] };

/** Checks a value against a schema; what is wrong is told in plain words, all of it. */
export function validate<Schema extends z.core.$ZodType>(schema: Schema, value: unknown): Validated<z.output<Schema>> {
  const result = z.safeParse(schema, value, { error: describeIssue });
  if (result.success) return { data: result.data };
  return { invalid: result.error.issues.flatMap((issue) => explain(issue, [], schema)) };
}

function explain(issue: z.core.$ZodIssue, above: ConfigPath, root: z.core.$ZodType): readonly Invalid[] {
  const path: ConfigPath = [...above, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = knownKeys(schemaAt(root, path));
      return issue.keys.map((key) => ({ path: [...path, key], part: "key", message: unknownKey(key, known) }));
    }
    case "invalid_key":
      return [{ path, part: "key", message: issue.issues[0]?.message ?? issue.message }];
    case "invalid_union":
      return explainUnion(issue, path, root);
    default:
      return [{ path, part: "value", message: issue.message }];
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = didYouMean(key, known);
  return near === "" ? `unknown key; known here: ${known.join(", ")}` : `unknown key${near}`;
}

/** The complaints of the alternative whose type was meant; where none was, the issue names the types that would do. */
function explainUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: ConfigPath,
  root: z.core.$ZodType,
): readonly Invalid[] {
  const meant = issue.errors.find((errors) => !errors.some(isOfAnotherType));
  if (meant !== undefined) return meant.flatMap((inner) => explain(inner, path, root));
  return [{ path, part: "value", message: issue.message }];
}

function isOfAnotherType(error: z.core.$ZodIssue): boolean {
  return error.code === "invalid_type" && error.path.length === 0;
}

/** The part of a schema that a path leads to. */
function schemaAt(root: z.core.$ZodType, path: ConfigPath): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  for (const segment of path) schema = schema === undefined ? undefined : childOf(unwrap(schema), segment);
  return schema === undefined ? undefined : unwrap(schema);
}

function childOf(schema: z.core.$ZodType, segment: string | number): z.core.$ZodType | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "object") return def.shape[segment];
  if (def.type === "record") return def.valueType;
  return def.type === "array" ? def.element : undefined;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "optional" ? unwrap(def.innerType) : schema;
}

function knownKeys(schema: z.core.$ZodType | undefined): readonly string[] {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  return def?.type === "object" ? Object.keys(def.shape) : [];
}
