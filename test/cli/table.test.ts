import { describe, expect, it } from "vitest";
import { printable } from "../../src/cli/printable.js";
import { renderTable } from "../../src/cli/table.js";

describe("renderTable", () => {
  it("aligns columns, leaves no blanks at line ends, and lets no cell break out", () => {
    const table = renderTable(
      ["id", "name"],
      [
        ["1", ""],
        ["22222", "a\nb"],
      ],
    );
    expect(table).toBe("ID     NAME\n1\n22222  a\\u000ab\n");
  });

  it("is its headers where there are no rows", () => expect(renderTable(["id"], [])).toBe("ID\n"));
});

describe("printable", () => {
  const cases: readonly { name: string; text: string; want: string }[] = [
    { name: "plain text in any script", text: "Grüße, 世界 😀 ~", want: "Grüße, 世界 😀 ~" },
    {
      name: "C0 controls",
      text: "a\u0000\t\r\n\u001b[31m\u007f",
      want: "a\\u0000\\u0009\\u000d\\u000a\\u001b[31m\\u007f",
    },
    { name: "C1 controls", text: "\u0085\u009b31m", want: "\\u0085\\u009b31m" },
    { name: "direction marks", text: "\u202eabc\u2066\u200f", want: "\\u202eabc\\u2066\\u200f" },
    { name: "line separators", text: "a\u2028b\u2029", want: "a\\u2028b\\u2029" },
  ];
  it.each(cases)("shows $name", ({ text, want }) => expect(printable(text)).toBe(want));
});
