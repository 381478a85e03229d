import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acquireIdentity } from "../../src/identity/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { AWS_AUDIENCE, makeToken, NOW, NOW_SECONDS } from "./tokens.js";

const AUDIENCES = [{ cloud: "aws", audiences: [AWS_AUDIENCE] }] as const;

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-identity-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

function acquire(env: Record<string, string>) {
  return acquireIdentity({ source: "auto", audiences: AUDIENCES }, fakeRuntime({ env, cwd: dir, now: () => NOW }));
}

function writeToken(name: string, text: string): string {
  const file = path.join(dir, name);
  fs.writeFileSync(file, text);
  return file;
}

describe("token-file", () => {
  test("the file is read anew for each use", async () => {
    const file = writeToken("token", `${await makeToken({ sub: "first" })}\n`);
    const identity = await acquire({ AGENTCTL_TOKEN_FILE: file });
    expect(identity.subject).toBe("first");
    fs.writeFileSync(file, await makeToken({ sub: "second" }));
    expect((await identity.mintToken([AWS_AUDIENCE])).subject).toBe("second");
  });

  test("a symlink is followed, a relative path starts from the working directory", async () => {
    fs.symlinkSync(writeToken("real", await makeToken({ sub: "linked" })), path.join(dir, "link"));
    expect(await acquire({ AGENTCTL_TOKEN_FILE: "link" })).toMatchObject({ subject: "linked" });
  });

  test("the cloud's own file is taken before the general one", async () => {
    const general = writeToken("general", await makeToken({ sub: "general" }));
    const own = writeToken("own", await makeToken({ sub: "own" }));
    const identity = await acquire({ AGENTCTL_TOKEN_FILE: general, AGENTCTL_TOKEN_FILE_AWS: own });
    expect(identity.subject).toBe("own");
  });

  const rows = [
    { name: "missing", make: () => path.join(dir, "none"), code: "NO_IDENTITY", says: "no such file" },
    { name: "a directory", make: () => dir, code: "NO_IDENTITY", says: "not a regular file" },
    { name: "a device", make: () => "/dev/null", code: "NO_IDENTITY", says: "not a regular file" },
    {
      name: "too long",
      make: () => writeToken("long", "x".repeat(64 * 1024 + 1)),
      code: "NO_IDENTITY",
      says: "65537 bytes",
    },
    { name: "empty", make: () => writeToken("empty", " \n"), code: "TOKEN_MALFORMED", says: "is empty" },
    {
      name: "not a token",
      make: () => writeToken("pat", "ghp_SECRET"),
      code: "TOKEN_MALFORMED",
      says: "a GitHub token",
    },
    {
      name: "a circle of links",
      make: () => {
        fs.symlinkSync(path.join(dir, "b"), path.join(dir, "a"));
        fs.symlinkSync(path.join(dir, "a"), path.join(dir, "b"));
        return path.join(dir, "a");
      },
      code: "NO_IDENTITY",
      says: "circle",
    },
  ];
  test.each(rows)("$name", async ({ make, code, says }) => {
    const file = make();
    const error = await thrownBy(() => acquire({ AGENTCTL_TOKEN_FILE: file }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(file);
    expect(error.message).toContain(says);
    expect(error.message).not.toContain("SECRET");
  });

  test("a named pipe that nobody writes to holds nobody up", async () => {
    const pipe = path.join(dir, "pipe");
    execFileSync("mkfifo", [pipe]);
    const openSync: typeof fs.openSync = (file, flags, mode) => {
      expect(Number(flags) & fs.constants.O_NONBLOCK, "this would wait for ever").not.toBe(0);
      return fs.openSync(file, flags, mode);
    };
    const runtime = fakeRuntime({ env: { AGENTCTL_TOKEN_FILE: pipe }, fs: { ...fs, openSync } });
    const error = await thrownBy(() => acquireIdentity({ source: "auto", audiences: AUDIENCES }, runtime));
    expect(error).toMatchObject({ code: "NO_IDENTITY", message: expect.stringContaining("not a regular file") });
  });

  test.skipIf(process.getuid?.() === 0)("one that this user may not read", async () => {
    const file = writeToken("closed", await makeToken());
    fs.chmodSync(file, 0);
    expect((await thrownBy(() => acquire({ AGENTCTL_TOKEN_FILE: file }))).message).toContain("permission denied");
  });

  test("an expired file is told of by name", async () => {
    const file = writeToken("old", await makeToken({ exp: NOW_SECONDS - 60 }));
    const error = await thrownBy(() => acquire({ AGENTCTL_TOKEN_FILE: file }));
    expect(error).toMatchObject({ code: "TOKEN_EXPIRED" });
    expect(error.message).toContain(`the token in ${file} (AGENTCTL_TOKEN_FILE) expired 1m ago`);
  });
});
