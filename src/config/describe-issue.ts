import type * as z from "zod/mini";
import { didYouMean } from "./suggest.js";

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** What is wrong with a value, in words that go on after its path. The value itself is not repeated. */
export function describeIssue(issue: RawIssue): string {
  const { input } = issue;
  if (input === undefined) return "is missing";
  if (input === null) return "is empty";
  switch (issue.code) {
    case "invalid_type":
      return describeType([issue.expected], input);
    case "invalid_union":
      return describeType(
        issue.errors.flatMap(([error]) => (error?.code === "invalid_type" ? [error.expected] : [])),
        input,
      );
    case "invalid_value":
      return describeChoice(issue.values.map(String), input);
    case "too_big":
      return `has more than ${issue.maximum} entries`;
    default:
      return "is not valid";
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys and values",
  record: "a map of keys and values",
};

function describeType(expected: readonly string[], input: unknown): string {
  if (expected[0] === "string" && (typeof input === "number" || typeof input === "boolean")) {
    return `must be text: put the ${typeof input === "number" ? "number" : `word ${input}`} in quotes`;
  }
  return `must be ${expected.map((type) => TYPE_NAMES[type] ?? type).join(", or ")}, not ${kindOf(input)}`;
}

function describeChoice(values: readonly string[], input: unknown): string {
  const must = values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(", ")}`;
  return typeof input === "string" ? `${must}${didYouMean(input, values)}` : must;
}

function kindOf(input: unknown): string {
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a map";
  return { string: "text", number: "a number", boolean: "true or false" }[typeof input as string] ?? "that";
}
