import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ensurePrivateDir,
  explainSystemError,
  openPrivate,
  readPrivateFile,
  writePrivateFile,
} from "../../src/core/private-files.js";
import { thrownBy } from "../thrown.js";

const uid = process.getuid?.() ?? -1;
const isRoot = uid === 0;

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-private-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

const inDir = (name: string): string => path.join(dir, name);
const modeOf = (file: string): number => fs.lstatSync(file).mode & 0o777;

describe("ensurePrivateDir", () => {
  test("makes what is missing, closed to others", () => {
    ensurePrivateDir(inDir("a/b/c"), { fs, uid });
    for (const name of ["a", "a/b", "a/b/c"]) expect(modeOf(inDir(name))).toBe(0o700);
  });

  test("closes one of ours that was open", () => {
    fs.mkdirSync(inDir("open"));
    fs.chmodSync(inDir("open"), 0o755);
    ensurePrivateDir(inDir("open"), { fs, uid });
    expect(modeOf(inDir("open"))).toBe(0o700);
  });

  const rows = [
    { name: "a symlink to a directory", make: () => fs.symlinkSync(os.tmpdir(), inDir("x")), says: "not a directory" },
    { name: "a dangling symlink", make: () => fs.symlinkSync(inDir("none"), inDir("x")), says: "not a directory" },
    { name: "a file", make: () => fs.writeFileSync(inDir("x"), ""), says: "not a directory" },
  ];
  test.each(rows)("refuses $name", async ({ make, says }) => {
    make();
    const error = await thrownBy(() => ensurePrivateDir(inDir("x"), { fs, uid }));
    expect(error).toMatchObject({ code: "STATE_UNWRITABLE", exitCode: 74 });
    expect(error.message).toContain(says);
  });

  test("gives up where the parent is there and takes nothing, as /proc does", async () => {
    const mkdirSync = (): never => {
      throw Object.assign(new Error("no such file or directory"), { code: "ENOENT" });
    };
    const error = await thrownBy(() => ensurePrivateDir(inDir("x/y"), { fs: { ...fs, mkdirSync } as typeof fs, uid }));
    expect(error).toMatchObject({ code: "STATE_UNWRITABLE", exitCode: 74 });
  });

  test("refuses one of another user", async () => {
    fs.mkdirSync(inDir("x"));
    const error = await thrownBy(() => ensurePrivateDir(inDir("x"), { fs, uid: uid + 1 }));
    expect(error.message).toContain(`uid ${uid}`);
  });

  test.skipIf(isRoot)("tells why it cannot be made, and what to do", async () => {
    fs.chmodSync(dir, 0o500);
    const error = await thrownBy(() => ensurePrivateDir(inDir("x"), { fs, uid }));
    fs.chmodSync(dir, 0o700);
    expect(error.message).toBe(`cannot write ${inDir("x")}: permission denied`);
    expect(error.hint).toContain("AGENTCTL_STATE_DIR");
  });
});

describe("writePrivateFile", () => {
  test("writes for this user only, whatever the umask, and leaves nothing beside it", () => {
    const umask = process.umask(0);
    writePrivateFile(inDir("f"), "text", fs);
    process.umask(umask);
    expect(readPrivateFile(inDir("f"), fs)).toBe("text");
    expect(modeOf(inDir("f"))).toBe(0o600);
    expect(fs.readdirSync(dir)).toEqual(["f"]);
  });

  test("replaces the file as a whole: who has the old one open keeps the old text", () => {
    writePrivateFile(inDir("f"), "old", fs);
    const fd = fs.openSync(inDir("f"), "r");
    writePrivateFile(inDir("f"), "new", fs);
    expect(fs.readFileSync(fd, "utf8")).toBe("old");
    fs.closeSync(fd);
    expect(readPrivateFile(inDir("f"), fs)).toBe("new");
  });

  test("replaces a symlink rather than what it points at", () => {
    fs.writeFileSync(inDir("target"), "theirs");
    fs.symlinkSync(inDir("target"), inDir("f"));
    writePrivateFile(inDir("f"), "ours", fs);
    expect(fs.readFileSync(inDir("target"), "utf8")).toBe("theirs");
    expect(fs.lstatSync(inDir("f")).isFile()).toBe(true);
  });

  const failing = ["writeFileSync", "fsyncSync", "renameSync"] as const;
  test.each(failing)("when %s fails the old text stays, and nothing else", async (call) => {
    writePrivateFile(inDir("f"), "old", fs);
    const full = {
      ...fs,
      [call]: () => {
        throw Object.assign(new Error("x"), { code: "ENOSPC" });
      },
    };
    const error = await thrownBy(() => writePrivateFile(inDir("f"), "new", full));
    expect(error).toMatchObject({ code: "STATE_UNWRITABLE", message: `cannot write ${inDir("f")}: the disk is full` });
    expect(readPrivateFile(inDir("f"), fs)).toBe("old");
    expect(fs.readdirSync(dir)).toEqual(["f"]);
  });

  test("the text and the name are both on disk before it returns", () => {
    const calls: string[] = [];
    const watched = {
      ...fs,
      fsyncSync: (fd: number) => {
        calls.push(fs.fstatSync(fd).isDirectory() ? "sync directory" : "sync file");
        fs.fsyncSync(fd);
      },
      renameSync: (from: fs.PathLike, to: fs.PathLike) => {
        calls.push("rename");
        fs.renameSync(from, to);
      },
    };
    writePrivateFile(inDir("f"), "text", watched);
    expect(calls).toEqual(["sync file", "rename", "sync directory"]);
  });
});

describe("openPrivate", () => {
  const modes = ["append", "read", "edit", "create"] as const;
  test.each(modes)("%s goes through no symlink", (mode) => {
    fs.writeFileSync(inDir("target"), "theirs");
    fs.symlinkSync(inDir("target"), inDir("f"));
    expect(() => openPrivate(inDir("f"), mode, fs)).toThrow(/ELOOP|EEXIST/);
    expect(fs.readFileSync(inDir("target"), "utf8")).toBe("theirs");
  });

  test("create takes no file that is there", () => {
    fs.writeFileSync(inDir("f"), "");
    expect(() => openPrivate(inDir("f"), "create", fs)).toThrow("EEXIST");
  });

  test("append adds at the end", () => {
    for (const text of ["a", "b"]) {
      const fd = openPrivate(inDir("f"), "append", fs);
      fs.writeSync(fd, text);
      fs.closeSync(fd);
    }
    expect(readPrivateFile(inDir("f"), fs)).toBe("ab");
    expect(modeOf(inDir("f"))).toBe(0o600);
  });
});

describe("readPrivateFile", () => {
  test("answers undefined for what is not there", () => {
    expect(readPrivateFile(inDir("none"), fs)).toBeUndefined();
  });

  test("reads through no symlink", () => {
    fs.writeFileSync(inDir("target"), "theirs");
    fs.symlinkSync(inDir("target"), inDir("f"));
    expect(() => readPrivateFile(inDir("f"), fs)).toThrow("ELOOP");
  });
});

describe("explainSystemError", () => {
  const rows = [
    {
      name: "one in plain words",
      error: Object.assign(new Error("EROFS: open '/x'"), { code: "EROFS" }),
      want: "the file system is read-only",
    },
    { name: "one without words", error: Object.assign(new Error("x"), { code: "EWEIRD" }), want: "EWEIRD" },
    { name: "another error", error: new Error("boom"), want: "boom" },
    { name: "no error", error: "boom", want: "boom" },
  ];
  test.each(rows)("$name", ({ error, want }) => {
    expect(explainSystemError(error)).toBe(want);
  });
});
