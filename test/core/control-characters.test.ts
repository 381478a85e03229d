import { describe, expect, test } from "vitest";
import { escapeControlCharacters } from "../../src/core/control-characters.js";

const rows: { name: string; input: string; want: string }[] = [
  { name: "plain text", input: "aws s3 ls — naïve 😀 日本", want: "aws s3 ls — naïve 😀 日本" },
  { name: "a line break", input: "a\nb\r", want: "a\\u000ab\\u000d" },
  { name: "an escape sequence", input: "\u001b[31mred", want: "\\u001b[31mred" },
  { name: "C1 controls and DEL", input: "\u007f\u0080\u009f\u00a0", want: "\\u007f\\u0080\\u009f\u00a0" },
  { name: "separators", input: "\u2028\u2029", want: "\\u2028\\u2029" },
  { name: "marks of direction", input: "\u202eevil\u2066\u2069\u061c", want: "\\u202eevil\\u2066\\u2069\\u061c" },
  { name: "a byte order mark", input: "\ufeffa", want: "\\ufeffa" },
];

describe("escapeControlCharacters", () => {
  test.each(rows)("$name", ({ input, want }) => {
    expect(escapeControlCharacters(input)).toBe(want);
  });

  test("JSON stays the same JSON", () => {
    const value = { text: "\u2028\u202e\u0085" };
    expect(JSON.parse(escapeControlCharacters(JSON.stringify(value)))).toEqual(value);
  });
});
