import { describe, expect, test } from "vitest";
import {
  matchArguments,
  matchToken,
  type PatternToken,
  parseCommandPattern,
} from "../../src/policy/command-pattern.js";
import { thrownBy } from "../thrown.js";

/** A token from a text in which every `*` is a wildcard. */
function token(text: string): PatternToken {
  const [head = "", ...rest] = text.split("*");
  return [head, ...rest];
}

describe("splitting", () => {
  const rows: readonly { name: string; text: string; want: readonly PatternToken[]; openEnded?: boolean }[] = [
    { name: "blanks of any kind", text: "  aws  s3\tls ", want: [["aws"], ["s3"], ["ls"]] },
    { name: "a final lone wildcard", text: "aws s3 *", want: [["aws"], ["s3"]], openEnded: true },
    { name: "a wildcard that is not alone", text: "aws s3*", want: [["aws"], ["s3", ""]] },
    { name: "a wildcard that is not last", text: "aws * ls", want: [["aws"], ["", ""], ["ls"]] },
    { name: "a quoted wildcard is literal", text: "ls '*'", want: [["ls"], ["*"]] },
    { name: "an escaped wildcard is literal", text: "ls \\*", want: [["ls"], ["*"]] },
    { name: "quotes keep blanks", text: "echo 'a b' \"c d\"", want: [["echo"], ["a b"], ["c d"]] },
    { name: "quotes join", text: "a'b'\"c\"d*'*'", want: [["abcd", "*"]] },
    { name: "an empty argument", text: "echo ''", want: [["echo"], [""]] },
    { name: "a backslash in single quotes", text: "echo 'a\\b'", want: [["echo"], ["a\\b"]] },
    { name: "a backslash in double quotes", text: 'echo "a\\"b"', want: [["echo"], ['a"b']] },
    { name: "an escaped blank", text: "echo a\\ b", want: [["echo"], ["a b"]] },
    { name: "nothing is expanded", text: "echo $HOME ~ [a] ?", want: [["echo"], ["$HOME"], ["~"], ["[a]"], ["?"]] },
    { name: "everything", text: "*", want: [["", ""]], openEnded: true },
  ];
  test.each(rows)("$name", ({ text, want, openEnded }) => {
    const pattern = parseCommandPattern(text);
    expect([pattern.program, ...pattern.args]).toEqual(want);
    expect(pattern.openEnded).toBe(openEnded ?? false);
    expect(pattern.text).toBe(text);
  });

  test.each(["", "  ", "aws 'x", 'aws "x', "aws x\\"])("cannot be read: %j", async (text) => {
    expect(await thrownBy(() => parseCommandPattern(text))).toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("matching a token", () => {
  const rows = [
    { pattern: "abc", text: "abc", want: true },
    { pattern: "abc", text: "abcd", want: false },
    { pattern: "", text: "", want: true },
    { pattern: "*", text: "", want: true },
    { pattern: "*", text: "a b/c", want: true },
    { pattern: "s3://demo/*", text: "s3://demo/", want: true },
    { pattern: "s3://demo/*", text: "s3://demo-other/x", want: false },
    { pattern: "*.json", text: "a.json", want: true },
    { pattern: "*.json", text: "a.json.sh", want: false },
    { pattern: "a*a", text: "a", want: false },
    { pattern: "a*a", text: "aa", want: true },
    { pattern: "ab*ba", text: "aba", want: false },
    { pattern: "a*b*c", text: "aXbXc", want: true },
    { pattern: "a*b*c", text: "acb", want: false },
    { pattern: "a*bc*c", text: "abc", want: false },
    { pattern: "a**b", text: "ab", want: true },
    { pattern: "*a*a*a*", text: "aa", want: false },
    { pattern: "a.c", text: "abc", want: false },
  ];
  test.each(rows)("$pattern and $text: $want", ({ pattern, text, want }) => {
    expect(matchToken(token(pattern), text)).toBe(want);
  });

  test("a hostile text is answered at once", () => {
    const hostile = token(`${"*a".repeat(30)}*b`);
    const started = performance.now();
    expect(matchToken(hostile, "a".repeat(100_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("matching arguments", () => {
  const rows = [
    { pattern: "aws s3 *", args: ["s3"], want: true },
    { pattern: "aws s3 *", args: ["s3", "ls", "s3://x"], want: true },
    { pattern: "aws s3 *", args: [], want: false },
    { pattern: "aws s3 *", args: ["s3api"], want: false },
    { pattern: "aws s3 *", args: ["--profile", "x", "s3"], want: false },
    { pattern: "aws s3 ls", args: ["s3", "ls"], want: true },
    { pattern: "aws s3 ls", args: ["s3", "ls", "x"], want: false },
    { pattern: "aws * ls", args: ["s3", "ls"], want: true },
    { pattern: "aws * ls", args: ["ls"], want: false },
    { pattern: "aws s3 'ls x'", args: ["s3", "ls", "x"], want: false },
    { pattern: "aws s3 'ls x'", args: ["s3", "ls x"], want: true },
    { pattern: "aws '*'", args: ["*"], want: true },
    { pattern: "aws '*'", args: ["s3"], want: false },
    { pattern: "aws ''", args: [], want: false },
    { pattern: "aws ''", args: [""], want: true },
    { pattern: "aws", args: [], want: true },
    { pattern: "aws", args: ["s3"], want: false },
  ];
  test.each(rows)("$pattern and $args: $want", ({ pattern, args, want }) => {
    expect(matchArguments(parseCommandPattern(pattern), args)).toBe(want);
  });
});
