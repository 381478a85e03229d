import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { generateFiles } from "../../src/cli/generated-files.js";
import { escapeRoff, roffText, roffTitle } from "../../src/cli/man-roff.js";
import { fakeRuntime } from "../fake-runtime.js";

const root = path.resolve(import.meta.dirname, "../..");
const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as { version: string };
const files = generateFiles(fakeRuntime({ version }));

describe("generated files", () => {
  it.each(Object.entries(files))("%s is what the commands say; if not: npm run completions", (name, text) => {
    expect(fs.readFileSync(path.join(root, name), "utf8")).toBe(text);
  });

  it("are all that is there", () => {
    const there = ["completions", "man"].flatMap((dir) =>
      fs.readdirSync(path.join(root, dir)).map((name) => `${dir}/${name}`),
    );
    expect(there.sort()).toEqual(Object.keys(files).sort());
  });

  it("are in the package, with the manual page where npm links it", () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")) as Record<string, unknown>;
    expect(manifest["files"]).toEqual(expect.arrayContaining(["completions", "man"]));
    expect(manifest["man"]).toEqual(["man/agentctl.1"]);
  });
});

describe("the manual page", () => {
  const page = path.join(root, "man/agentctl.1");
  const checkers = [
    // A date would make the page another one every day.
    { tool: "mandoc", args: ["-Tlint", "-Wwarning", page], allowed: /^.*WARNING: missing date.*\n/gm },
    { tool: "groff", args: ["-man", "-Tutf8", "-ww", "-z", page], allowed: /^$/g },
    { tool: "man", args: ["--warnings", "-l", page], allowed: /^$/g },
  ];
  for (const { tool, args, allowed } of checkers) {
    it(`has nothing that ${tool} warns of`, ({ skip }) => {
      const env = { ...process.env, MANPAGER: "cat" };
      const { error, stdout, stderr } = spawnSync(tool, args, { encoding: "utf8", env });
      if (error !== undefined) {
        const reason = `there is no ${tool} on PATH`;
        console.info(`skipped: ${reason}`);
        skip(reason);
      }
      const said = tool === "mandoc" ? `${stdout}${stderr}` : stderr;
      expect(said.replace(allowed, "")).toBe("");
    });
  }

  it("has every command, its options and examples, and every topic", () => {
    const text = files["man/agentctl.1"] ?? "";
    for (const part of [
      '.SS "agentctl run [\\-p NAME] [options] \\-\\- COMMAND [ARGS...]"',
      "\\fB\\-p, \\-\\-profile \\fR\\fI<name>\\fR",
      '.SS "agentctl audit verify [options]"',
      "agentctl run \\-p deploy\\-web \\-\\-dry\\-run",
      '.SH "EXIT STATUS"',
      '.SH "IDENTITY"',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain("__complete");
  });
});

describe("roff", () => {
  it.each([
    { name: "hyphens", text: "--dry-run", want: "\\-\\-dry\\-run" },
    { name: "backslashes", text: "a\\b", want: "a\\eb" },
    { name: "a request at the beginning of a line", text: ".so /etc/passwd\n'br", want: "\\&.so /etc/passwd\n\\(aqbr" },
    { name: "what is not ASCII", text: "é…", want: "\\[u00E9]..." },
  ])("escapes $name", ({ text, want }) => {
    expect(escapeRoff(text)).toBe(want);
  });

  it("makes code bold, and quotes a title", () => {
    expect(roffText("see `a-b`.")).toBe("see \\fBa\\-b\\fR.");
    expect(roffTitle("SS", 'say "hi"')).toBe('.SS "say \\(dqhi\\(dq"');
  });
});
