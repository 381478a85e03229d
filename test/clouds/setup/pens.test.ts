import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { bicepString } from "../../../src/clouds/azure/setup/bicep.js";
import { celString } from "../../../src/clouds/gcp/setup/cel.js";
import { hclBlock, hclString, nested, raw } from "../../../src/clouds/setup/hcl.js";
import { comments } from "../../../src/clouds/setup/header.js";
import { shellCommand, shellQuote } from "../../../src/clouds/setup/shell.js";
import { evaluateExpression } from "../../../src/sandbox/gcp/cel.js";
import { HOSTILE } from "./hostile.js";

const hostile = HOSTILE.map((text) => ({ text }));

describe("HCL", () => {
  it.each([
    { name: "quotes", text: `a"b`, want: String.raw`"a\"b"` },
    { name: "backslashes", text: "a\\", want: String.raw`"a\\"` },
    { name: "an interpolation", text: "x$" + "{y}", want: '"x$$' + '{y}"' },
    { name: "a directive", text: "%{ if x }", want: '"%%{ if x }"' },
    { name: "a dollar alone", text: "a$b%c", want: '"a$b%c"' },
    { name: "a line break", text: "a\nb", want: String.raw`"a\nb"` },
    { name: "a separator that JSON leaves", text: "a\u2028b", want: String.raw`"a\u2028b"` },
  ])("$name", ({ text, want }) => {
    expect(hclString(text)).toBe(want);
  });

  it("has a block as terraform fmt would", () => {
    const block = hclBlock(
      "resource",
      ["a", "b"],
      [
        ["x", 1],
        ["longer", raw("var.y")],
        ["list", ["a", true]],
        ["object", { key: "v", "a:b": { deep: [] } }],
        ["z", "end"],
        ["inner", nested([["q", false]])],
      ],
    );
    expect(block).toBe(`resource "a" "b" {
  x      = 1
  longer = var.y
  list   = ["a", true]
  object = {
    key = "v"
    "a:b" = {
      deep = []
    }
  }
  z = "end"

  inner {
    q = false
  }
}
`);
  });
});

describe("a POSIX shell", () => {
  it.each(hostile)("takes $text for one word", ({ text }) => {
    const script = `set -eu\nprintf '<%s>' ${shellQuote(text)} ${shellQuote("")}`;
    const { stdout, status } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    expect({ stdout, status }).toEqual({ stdout: `<${text}><>`, status: 0 });
  });

  it("takes a command over several lines for one", () => {
    const script = shellCommand(["printf", "'%s '"], [["--a", shellQuote("x y")], ["--b"]]);
    expect(spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout).toBe("--a x y --b ");
  });
});

describe("CEL", () => {
  it.each(hostile)("takes $text for one string", ({ text }) => {
    expect(evaluateExpression(`x == ${celString(text)}`, { x: text })).toBe(true);
    expect(evaluateExpression(`x == ${celString(text)}`, { x: `${text} ` })).toBe(false);
  });
});

describe("Bicep", () => {
  it.each([
    { text: "it's", want: String.raw`'it\'s'` },
    { text: "a\\", want: String.raw`'a\\'` },
    { text: "$".concat("{x}"), want: "'\\$".concat("{x}'") },
    { text: "\\$".concat("{x}"), want: "'\\\\\\$".concat("{x}'") },
    { text: "é𝄞", want: String.raw`'\u{e9}\u{1d11e}'` },
    { text: "a\nb", want: String.raw`'a\u{a}b'` },
  ])("$text", ({ text, want }) => {
    expect(bicepString(text)).toBe(want);
  });
});

describe("a comment", () => {
  it("stays one line, whatever is in it", () => {
    expect(comments("#", ["a\nb", "", "c\u2028d\re"])).toBe("# a\\u000ab\n#\n# c\\u2028d\\u000de");
  });
});
