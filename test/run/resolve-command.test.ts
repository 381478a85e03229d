import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveCommand } from "../../src/run/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";

let root: string;
beforeAll(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-resolve-"));
  for (const dir of ["first", "second", "cwd/sub", "second/directory"]) {
    fs.mkdirSync(path.join(root, dir), { recursive: true });
  }
  const write = (name: string, mode: number): void => fs.writeFileSync(path.join(root, name), "#!/bin/sh\n", { mode });
  write("first/both", 0o755);
  write("second/both", 0o755);
  write("second/tool", 0o755);
  write("first/blocked", 0o644);
  write("first/shadowed", 0o644);
  write("second/shadowed", 0o755);
  write("cwd/local", 0o755);
  write("cwd/sub/deep", 0o755);
  fs.symlinkSync("tool", path.join(root, "second/link"));
  fs.symlinkSync("nowhere", path.join(root, "second/dangling"));
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

function resolve(name: string, searchPath: string): string {
  const inRoot = searchPath.replaceAll("@", root);
  return resolveCommand([name, "--flag"], inRoot, fakeRuntime({ cwd: path.join(root, "cwd") })).path;
}

describe("resolveCommand", () => {
  const found = [
    { name: "the first on the PATH wins", input: "both", searchPath: "@/first:@/second", want: "first/both" },
    { name: "a later entry is looked at", input: "tool", searchPath: "@/first:@/second", want: "second/tool" },
    {
      name: "one that may not be executed is passed over",
      input: "shadowed",
      searchPath: "@/first:@/second",
      want: "second/shadowed",
    },
    { name: "a link is named as it was found", input: "link", searchPath: "@/second", want: "second/link" },
    {
      name: "an empty entry is the working directory",
      input: "local",
      searchPath: "@/first::@/second",
      want: "cwd/local",
    },
    { name: "a colon at the end as well", input: "local", searchPath: "@/first:", want: "cwd/local" },
    { name: "a relative entry begins there", input: "deep", searchPath: "sub", want: "cwd/sub/deep" },
    { name: "a name with a slash is a path", input: "./local", searchPath: "@/first", want: "cwd/local" },
    { name: "and need not begin with a dot", input: "sub/deep", searchPath: "@/first", want: "cwd/sub/deep" },
    {
      name: "what is no directory is passed over",
      input: "tool",
      searchPath: "@/first/both:@/second",
      want: "second/tool",
    },
  ];
  it.each(found)("$name", ({ input, searchPath, want }) => {
    expect(resolve(input, searchPath)).toBe(path.join(root, want));
  });

  it("takes an absolute path as it is, and keeps argv", () => {
    const argv: [string, string] = [path.join(root, "second/tool"), "$HOME *"];
    expect(resolveCommand(argv, "", fakeRuntime())).toEqual({ argv, path: argv[0] });
  });

  it("looks in the system's places, and not in the working directory, when the PATH is empty", async () => {
    expect(resolve("sh", "")).toMatch(/^\/(usr\/)?bin\/sh$/);
    expect((await thrownBy(() => resolve("local", ""))).code).toBe("COMMAND_NOT_FOUND");
  });

  const refused = [
    { name: "nothing of that name", input: "nothing", code: "COMMAND_NOT_FOUND", exit: 127, hint: "spelling" },
    { name: "no such path", input: "./nothing", code: "COMMAND_NOT_FOUND", exit: 127, hint: "spelling" },
    { name: "a link to nowhere", input: "dangling", code: "COMMAND_NOT_FOUND", exit: 127, hint: "spelling" },
    { name: "an empty name", input: "", code: "COMMAND_NOT_FOUND", exit: 127, hint: undefined },
    { name: "a word of the shell", input: "export", code: "COMMAND_NOT_FOUND", exit: 127, hint: "sh -c" },
    { name: "a whole line", input: "aws s3 ls", code: "COMMAND_NOT_FOUND", exit: 127, hint: "separate words" },
    { name: "an assignment", input: "A=1", code: "COMMAND_NOT_FOUND", exit: 127, hint: "env A=" },
    {
      name: "a file that may not be executed",
      input: "blocked",
      code: "COMMAND_NOT_EXECUTABLE",
      exit: 126,
      hint: "chmod +x",
    },
    { name: "a directory on the PATH", input: "directory", code: "COMMAND_NOT_EXECUTABLE", exit: 126, hint: undefined },
    { name: "a directory as a path", input: "./sub", code: "COMMAND_NOT_EXECUTABLE", exit: 126, hint: undefined },
    { name: "a device", input: "/dev/null", code: "COMMAND_NOT_EXECUTABLE", exit: 126, hint: undefined },
  ];
  it.each(refused)("refuses $name", async ({ input, code, exit, hint }) => {
    const error = await thrownBy(() => resolve(input, "@/first:@/second"));
    expect([error.code, error.exitCode]).toEqual([code, exit]);
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toContain(hint);
  });

  it("says of a place that it may not look into that it may not", async () => {
    const statSync = (() => {
      throw Object.assign(new Error("no"), { code: "EACCES" });
    }) as unknown as typeof fs.statSync;
    const error = await thrownBy(() => resolveCommand(["tool"], "/closed", fakeRuntime({ fs: { ...fs, statSync } })));
    expect([error.code, error.message]).toEqual([
      "COMMAND_NOT_EXECUTABLE",
      "cannot execute /closed/tool: permission denied",
    ]);
  });
});
