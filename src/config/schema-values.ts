import * as z from "zod/mini";
import { escapeControlCharacters } from "../core/control-characters.js";
import { formatDuration, tryParseDuration } from "../core/durations.js";
import { quoteValue } from "./problems.js";

/** What is wrong with a value, in words that go on after its path; undefined when nothing is. */
export type Explain = (value: string) => string | undefined;

/** Text in which `explain` finds nothing wrong. `schema` is what the JSON Schema says of it besides. */
export function textValue(description: string, explain: Explain, schema: Readonly<Record<string, unknown>> = {}) {
  return z
    .string()
    .check(
      z.refine((value: string) => explain(value) === undefined, {
        error: (issue) => explain(String(issue.input)) ?? "is not valid",
      }),
    )
    .register(z.globalRegistry, { description, ...schema });
}

/** A duration such as `30m`, between two bounds in seconds. */
export function durationValue(description: string, minSeconds: number, maxSeconds: number) {
  const explain: Explain = (value) => {
    const seconds = tryParseDuration(value);
    if (seconds === undefined) return `${quoteValue(value)} is not a duration; write it like ${DURATION_EXAMPLES}`;
    if (seconds < minSeconds) return `is shorter than ${formatDuration(minSeconds)}`;
    if (seconds > maxSeconds) return `is longer than ${formatDuration(maxSeconds)}`;
    return undefined;
  };
  return z
    .string({
      error: (issue) =>
        typeof issue.input === "number" ? `has no unit; write it like ${DURATION_EXAMPLES}` : undefined,
    })
    .check(
      z.refine((value: string) => explain(value) === undefined, {
        error: (issue) => explain(String(issue.input)) ?? "is not valid",
      }),
    )
    .register(z.globalRegistry, {
      description,
      pattern: "^(?=.)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?$",
      examples: ["30m", "1h", "1h30m"],
    });
}

const DURATION_EXAMPLES = "45s, 30m, 1h or 1h30m";

/** Non-empty text without control characters. */
export function plainText(description: string, maxLength: number) {
  return textValue(
    description,
    (value) => {
      if (value.trim() === "") return "is empty";
      if (value.length > maxLength) return `is longer than ${maxLength} characters`;
      return escapeControlCharacters(value) !== value ? "has a control character or a line break in it" : undefined;
    },
    { minLength: 1, maxLength },
  );
}

/** What the identity token may be for: one audience, or several, of which a source that mints is asked for the first. */
export function audienceValue(standard: string, maxLength: number) {
  const one = plainText("An audience", maxLength);
  return z.union([one, filledList("Several: the first that a token can be had for", one)]).register(z.globalRegistry, {
    description: `The audience of the identity token, or a list: whichever can be had. Default ${standard}`,
  });
}

export const profileName = textValue(
  "The name of a profile",
  (value) =>
    PROFILE_NAME.test(value)
      ? undefined
      : `${quoteValue(value)} is not a profile name: letters, digits and . _ - after a letter or digit, 64 at most`,
  { pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" },
);
const PROFILE_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

export const variableName = textValue(
  "The name of an environment variable",
  (value) => (/^[A-Za-z_]\w{0,254}$/.test(value) ? undefined : `${quoteValue(value)} is not the name of a variable`),
  { pattern: "^[A-Za-z_][A-Za-z0-9_]{0,254}$" },
);

/** One value, or several, as a list. */
export function listOf(written: string | readonly string[]): readonly string[] {
  return typeof written === "string" ? [written] : written;
}

/** A list with at least one entry: an empty allow-list reads like "nobody" and is too easily taken for "everybody". */
export function filledList<Entry extends z.core.$ZodType>(description: string, entry: Entry) {
  return z
    .array(entry)
    .check(z.minLength(1, { error: "is an empty list; leave the key out instead" }))
    .register(z.globalRegistry, { description });
}
