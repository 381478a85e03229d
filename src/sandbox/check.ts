import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";

/** A value that fits, or the first thing that is wrong with it and where: empty for the value as a whole. */
export type Checked<Output> =
  | { readonly data: Output }
  | { readonly wrong: { readonly path: string; readonly message: string } };

/** zod/mini has no words of its own for what is wrong. */
const words = { error: en().localeError };

export function check<Schema extends z.core.$ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const parsed = z.safeParse(schema, value, words);
  if (parsed.success) return { data: parsed.data };
  const [issue] = parsed.error.issues;
  // What is wrong with a key is one level further down.
  const { message = "it does not fit" } = (issue?.code === "invalid_key" ? issue.issues[0] : undefined) ?? issue ?? {};
  return { wrong: { path: issue?.path.join(".") ?? "", message } };
}
