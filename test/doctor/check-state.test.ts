import fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Runtime } from "../../src/core/runtime.js";
import { checkState } from "../../src/doctor/check-state.js";
import { findingsOf, makeProject, runtimeIn } from "./examination.js";

let dir: string;
beforeEach(() => {
  dir = makeProject();
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const state = () => path.join(dir, "state");
const find = (overrides: Partial<Runtime> = {}) => findingsOf(checkState, runtimeIn(dir, overrides));

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function failing(name: keyof typeof fs, code: string): Runtime["fs"] {
  const fail = () => {
    throw systemError(code);
  };
  return { ...fs, [name]: fail } as Runtime["fs"];
}

describe("the state directory", () => {
  test("not there yet: nothing is made", async () => {
    expect(await find()).toMatchObject([{ status: "ok", message: expect.stringContaining("can be made") }]);
    expect(fs.existsSync(state())).toBe(false);
  });

  test("there: written to, and left as it was", async () => {
    fs.mkdirSync(path.join(state(), "audit"), { recursive: true, mode: 0o700 });
    expect(await find()).toMatchObject([{ status: "ok", message: expect.stringContaining("can be written") }]);
    expect(fs.readdirSync(state())).toEqual(["audit"]);
  });

  test("open to others, and a directory in it", async () => {
    fs.mkdirSync(path.join(state(), "leases"), { recursive: true });
    fs.chmodSync(state(), 0o755);
    fs.chmodSync(path.join(state(), "leases"), 0o770);
    expect(await find()).toMatchObject([
      { status: "warn", message: expect.stringContaining("(mode 755)"), hint: `chmod 700 ${state()}` },
      { status: "warn", message: expect.stringContaining("(mode 770)") },
    ]);
    expect(fs.statSync(state()).mode & 0o777).toBe(0o755);
  });

  test.each([
    { name: "a file", make: () => fs.writeFileSync(state(), ""), says: /is not a directory$/ },
    { name: "a link", make: () => fs.symlinkSync(dir, state()), says: /is a symbolic link$/ },
  ])("$name in its place", async ({ make, says }) => {
    make();
    expect(await find()).toMatchObject([
      { status: "fail", code: "STATE_UNWRITABLE", message: expect.stringMatching(says) },
    ]);
  });

  test("of another user", async () => {
    fs.mkdirSync(state(), { mode: 0o700 });
    const uid = (process.getuid?.() ?? 0) + 1;
    expect(await find({ uid })).toMatchObject([{ status: "fail", message: expect.stringContaining("another user") }]);
  });

  test("below a file", async () => {
    fs.writeFileSync(path.join(dir, "file"), "");
    const env = { AGENTCTL_STATE_DIR: path.join(dir, "file/state") };
    expect(await find({ env })).toMatchObject([
      { status: "fail", message: expect.stringContaining("is not a directory") },
    ]);
  });

  test("not to be made", async () => {
    expect(await find({ fs: failing("accessSync", "EACCES") })).toMatchObject([
      { status: "fail", message: expect.stringContaining("permission denied") },
    ]);
  });

  test.each([
    { code: "ENOSPC", says: "the disk is full" },
    { code: "EROFS", says: "the file system is read-only" },
  ])("not to be written: $code", async ({ code, says }) => {
    fs.mkdirSync(state(), { mode: 0o700 });
    expect(await find({ fs: failing("writeFileSync", code) })).toMatchObject([
      { status: "fail", message: expect.stringContaining(says) },
    ]);
    expect(fs.readdirSync(state())).toEqual([]);
  });

  const stats = { type: 0, bsize: 4096, blocks: 1_000_000, bfree: 100, bavail: 100, files: 1000, ffree: 10 };
  test.each([
    { name: "hardly any room", stat: stats, want: { status: "warn", message: expect.stringContaining("0 MiB") } },
    {
      name: "no room for another file",
      stat: { ...stats, bavail: 1_000_000, ffree: 0 },
      want: { status: "fail", message: expect.stringContaining("no further file") },
    },
    {
      name: "a file system that counts no files",
      stat: { ...stats, bavail: 1_000_000, files: 0, ffree: 0 },
      want: { status: "ok" },
    },
  ])("$name", async ({ stat, want }) => {
    expect(await find({ fs: { ...fs, statfsSync: () => stat } as unknown as Runtime["fs"] })).toMatchObject([want]);
  });

  test("no place for it at all", async () => {
    const env = { AGENTCTL_STATE_DIR: "" };
    await expect(find({ env })).rejects.toMatchObject({ code: "STATE_UNWRITABLE" });
  });
});
