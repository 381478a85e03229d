import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withFileLock } from "../../src/core/file-lock.js";
import { currentOwner, type ProcessOwner } from "../../src/core/process-owner.js";
import type { Runtime } from "../../src/core/runtime.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";
import { bundleWorker, runWorker } from "./bundle-worker.js";

let root: string;
let dir: string;
let lockFile: string;
let worker: string;

beforeAll(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-lock-"));
  worker = await bundleWorker(path.join(import.meta.dirname, "lock-worker.ts"), root);
});
afterAll(() => fs.rmSync(root, { recursive: true }));
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(root, "case-"));
  lockFile = path.join(dir, "the.lock");
});

const self = currentOwner(fakeRuntime());
const DEAD: ProcessOwner = { ...self, startedAt: "1" };

function lockText(owner: unknown, nonce = "n"): string {
  return `${JSON.stringify({ owner, nonce })}\n`;
}

describe("withFileLock", () => {
  it("answers what the action answers, is there meanwhile, and leaves nothing", async () => {
    const answer = await withFileLock(lockFile, () => fs.readdirSync(dir), fakeRuntime());
    expect(answer).toEqual(["the.lock"]);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it("lets go when the action throws", async () => {
    const failing = withFileLock(lockFile, () => Promise.reject(new Error("mine")), fakeRuntime());
    await expect(failing).rejects.toThrow("mine");
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it("is exclusive within one process as well", async () => {
    const runtime = fakeRuntime({ sleep: () => nextTurn() as Promise<void> });
    let inside = 0;
    let most = 0;
    const enter = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await nextTurn();
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => withFileLock(lockFile, enter, runtime)));
    expect(most).toBe(1);
  });

  const stale: readonly { name: string; text: string }[] = [
    { name: "of a dead process", text: lockText(DEAD) },
    { name: "of a pid used again by a process that started later", text: lockText({ ...self, startedAt: "77" }) },
    { name: "of an earlier boot", text: lockText({ ...self, bootId: "another" }) },
    { name: "that a power failure emptied", text: "" },
    { name: "that is not JSON", text: '{"owner":{"pid":1' },
    { name: "with no owner", text: lockText(null) },
  ];
  it.each(stale)("breaks a lock $name", async ({ text }) => {
    fs.writeFileSync(lockFile, text);
    expect(await withFileLock(lockFile, () => "mine", fakeRuntime())).toBe("mine");
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  const held: readonly { name: string; owner: ProcessOwner }[] = [
    { name: "of a process that lives", owner: self },
    { name: "of another container of this boot", owner: { ...self, pid: 1, pidNamespace: "pid:[1]" } },
    { name: "of another machine", owner: { ...self, bootId: "another", machineId: "another" } },
  ];
  // macOS tells no machine id that is cheap to read.
  const heldHere = process.platform === "linux" ? held : held.filter(({ name }) => name !== "of another machine");
  it.each(heldHere)("waits for a lock $name, however old, and says who holds it", async ({ owner }) => {
    // A machine id of our own, where the system running this test has none.
    const runtime = withMachineId(fakeRuntime());
    fs.writeFileSync(lockFile, lockText({ ...owner, machineId: owner.machineId || currentOwner(runtime).machineId }));
    fs.utimesSync(lockFile, 0, 0);
    await expect(withFileLock(lockFile, () => "mine", runtime, { timeoutMs: 100 })).rejects.toMatchObject({
      code: "LOCK_HELD",
      exitCode: 74,
      facts: { pid: owner.pid },
    });
    expect(fs.readdirSync(dir)).toEqual(["the.lock"]);
  });

  it("does not break the lock that took a dead one's place", async () => {
    fs.writeFileSync(lockFile, lockText(DEAD));
    const successor = lockText(self, "successor");
    // Between the look at the dead lock and its removal another process breaks it and takes it.
    const runtime = withFs({
      linkSync: (from, to) => {
        fs.linkSync(from, to);
        if (String(to) !== lockFile) fs.writeFileSync(lockFile, successor);
      },
    });
    const error = await thrownBy(() => withFileLock(lockFile, () => "mine", runtime, { timeoutMs: 100 }));
    expect(error.code).toBe("LOCK_HELD");
    expect(fs.readFileSync(lockFile, "utf8")).toBe(successor);
  });

  it("sweeps what dead waiters and breakers left, and nothing else", async () => {
    fs.writeFileSync(`${lockFile}.aa.new`, lockText(DEAD));
    fs.writeFileSync(`${lockFile}.bb`, lockText(DEAD));
    fs.writeFileSync(`${lockFile}.cc.new`, "");
    fs.writeFileSync(`${lockFile}.dd.new`, lockText(self));
    fs.writeFileSync(path.join(dir, "the.log"), "");
    await withFileLock(lockFile, () => {}, fakeRuntime());
    expect(fs.readdirSync(dir)).toEqual(["the.lock.dd.new", "the.log"]);
  });

  it("writes its own file again when a sweep took it", async () => {
    let swept = false;
    const runtime = withFs({
      linkSync: (from, to) => {
        if (!swept && fs.existsSync(from)) {
          swept = true;
          fs.rmSync(from);
        }
        fs.linkSync(from, to);
      },
    });
    expect(await withFileLock(lockFile, () => "mine", runtime)).toBe("mine");
    expect(swept).toBe(true);
  });

  const failures: readonly { name: string; code: string; want: RegExp }[] = [
    { name: "a full disk", code: "ENOSPC", want: /the disk is full/ },
    { name: "a file system without hard links", code: "EPERM", want: /no hard links/ },
  ];
  it.each(failures)("says plainly that $name keeps it from locking", async ({ code, want }) => {
    const fail = (): never => {
      throw Object.assign(new Error(code), { code });
    };
    const runtime = withFs(code === "ENOSPC" ? { writeFileSync: fail } : { linkSync: linkOr(fail) });
    await expect(withFileLock(lockFile, () => {}, runtime)).rejects.toMatchObject({
      code: "STATE_UNWRITABLE",
      message: expect.stringMatching(want),
    });
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it("holds among many processes at once, some of them killed while they hold it", { timeout: 120_000 }, async () => {
    const counter = path.join(root, `${path.basename(dir)}.count`);
    fs.writeFileSync(counter, "0");
    const [counting, holding] = [40, 8];
    const workers = Array.from({ length: counting + holding }, (_, index) =>
      index % 6 === 5 ? runWorker(worker, ["hold", lockFile], "held") : runWorker(worker, ["count", lockFile, counter]),
    );
    const ended = await Promise.all(workers);
    expect(ended.filter(({ ended }) => ended !== 0 && ended !== "SIGKILL")).toEqual([]);
    expect(ended.filter(({ stdout }) => stdout === "held\n")).toHaveLength(holding);
    expect(fs.readFileSync(counter, "utf8")).toBe(String(counting));
    await withFileLock(lockFile, () => {}, fakeRuntime());
    await withFileLock(lockFile, () => {}, fakeRuntime());
    expect(fs.readdirSync(dir)).toEqual([]);
  });
});

function linkOr(fail: () => never): typeof fs.linkSync {
  return (from, to) => (fs.existsSync(from) ? fail() : fs.linkSync(from, to));
}

function withFs(overrides: Partial<typeof fs>): Runtime {
  return fakeRuntime({ fs: { ...fs, ...overrides } });
}

function withMachineId(runtime: Runtime): Runtime {
  const readFileSync = ((file: fs.PathOrFileDescriptor, options: "utf8") =>
    file === "/etc/machine-id" ? "0123456789abcdef\n" : fs.readFileSync(file, options)) as typeof fs.readFileSync;
  return { ...runtime, fs: { ...runtime.fs, readFileSync } };
}
