import { createHash } from "node:crypto";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendEvent, checkAuditWritable } from "../../src/audit/log.js";
import { verifyLog } from "../../src/audit/verify.js";
import type { Runtime } from "../../src/core/runtime.js";
import { bundleWorker, runWorker } from "../core/bundle-worker.js";
import { thrownBy } from "../thrown.js";
import { appendCounted, makeEvent, makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

function linesOf(bytes: Buffer): string[] {
  return bytes.toString("utf8").split("\n").slice(0, -1);
}

describe("appendEvent", () => {
  it("chains each record to the line before, and answers the head", async () => {
    const runtime = log.runtime();
    const heads = [
      await appendEvent(makeEvent(), runtime),
      await appendEvent(makeEvent({ kind: "lease.end" }), runtime),
    ];
    const [first = "", second = ""] = linesOf(log.read());
    expect(JSON.parse(first)).toMatchObject({ seq: 1, prev: "0".repeat(64), kind: "lease.start" });
    expect(JSON.parse(second)).toMatchObject({ seq: 2, prev: sha256(first), kind: "lease.end" });
    expect(heads).toEqual([
      { seq: 1, head: sha256(first) },
      { seq: 2, head: sha256(second) },
    ]);
  });

  it("keeps the log to its user, also where it was open to others", async () => {
    await appendEvent(makeEvent(), log.runtime());
    fs.chmodSync(log.file, 0o644);
    fs.chmodSync(log.auditDir, 0o755);
    await appendEvent(makeEvent(), log.runtime());
    const mode = (file: string) => (fs.statSync(file).mode & 0o777).toString(8);
    expect([mode(log.stateDir), mode(log.auditDir), mode(log.file)]).toEqual(["700", "700", "600"]);
  });

  it("writes what could steer a terminal as escapes", async () => {
    const intent = "a\u001b[2J\u009b2J\u202e\u2028\nb";
    await appendEvent(makeEvent({ intent }), log.runtime());
    const [line = ""] = linesOf(log.read());
    expect(line).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(line).intent).toBe(intent);
  });

  it("finds the end of a long last line", async () => {
    const runtime = log.runtime();
    await appendEvent(makeEvent({ intent: "x".repeat(200_000) }), runtime);
    await appendEvent(makeEvent({ intent: "y".repeat(64 * 1024) }), runtime);
    await appendEvent(makeEvent(), runtime);
    expect(await verifyLog({}, runtime)).toMatchObject({ ok: true, records: 3 });
  });

  it("refuses to go on after a last line that is no record", async () => {
    await appendEvent(makeEvent(), log.runtime());
    fs.appendFileSync(log.file, "garbage\n");
    const before = log.read();
    expect((await thrownBy(() => appendEvent(makeEvent(), log.runtime()))).code).toBe("AUDIT_BROKEN");
    expect((await thrownBy(() => checkAuditWritable(log.runtime()))).code).toBe("AUDIT_BROKEN");
    expect(log.read()).toEqual(before);
  });

  it("refuses a log that is a symbolic link", async () => {
    checkAuditWritable(log.runtime());
    const elsewhere = path.join(log.stateDir, "elsewhere");
    fs.rmSync(log.file);
    fs.symlinkSync(elsewhere, log.file);
    expect((await thrownBy(() => appendEvent(makeEvent(), log.runtime()))).code).toBe("AUDIT_UNWRITABLE");
    expect(fs.existsSync(elsewhere)).toBe(false);
  });
});

describe("a crash in the middle of a record", () => {
  it("loses that record and no other, wherever it was cut, and is on record", async () => {
    const runtime = log.runtime();
    await appendCounted(2, runtime);
    const whole = log.read();
    const firstEnd = whole.indexOf("\n") + 1;
    for (let cut = firstEnd + 1; cut < whole.length; cut += 1) {
      fs.writeFileSync(log.file, whole.subarray(0, cut));
      await appendEvent(makeEvent({ intent: "next" }), runtime);
      const [first, recovered = "", next = "", ...more] = linesOf(log.read());
      expect(first).toBe(whole.subarray(0, firstEnd - 1).toString());
      expect(JSON.parse(recovered)).toMatchObject({
        kind: "log.recovered",
        recovered: { bytes: cut - firstEnd, sha256: sha256(whole.subarray(firstEnd, cut)) },
      });
      expect(JSON.parse(next)).toMatchObject({ seq: 3, intent: "next" });
      expect(more).toEqual([]);
    }
    expect(await verifyLog({}, runtime)).toMatchObject({ ok: true, records: 3 });
  });

  it("cuts off a half line that is longer than what is written over it", async () => {
    await appendCounted(1, log.runtime());
    fs.appendFileSync(log.file, "x".repeat(100_000));
    await appendEvent(makeEvent(), log.runtime());
    expect(await verifyLog({}, log.runtime())).toMatchObject({ ok: true, records: 3 });
  });

  it("is recovered from in the very first record", async () => {
    await appendCounted(1, log.runtime());
    fs.truncateSync(log.file, 10);
    await appendEvent(makeEvent(), log.runtime());
    expect(linesOf(log.read()).map((line) => JSON.parse(line).kind)).toEqual(["log.recovered", "lease.start"]);
  });
});

describe("a disk that fails", () => {
  const fail = (code: string) => (): never => {
    throw Object.assign(new Error(code), { code });
  };
  const write = fs.writeSync as (fd: number, bytes: Buffer, offset: number, length: number, at: number) => number;
  let writes = 0;
  const failures: readonly { name: string; overrides: Partial<typeof fs>; want: RegExp }[] = [
    { name: "is full", overrides: { writeSync: fail("ENOSPC") as typeof fs.writeSync }, want: /the disk is full/ },
    {
      name: "fills up in the middle of a record",
      overrides: {
        writeSync: ((fd: number, bytes: Buffer, offset: number, length: number, at: number) => {
          writes += 1;
          return write(fd, bytes, offset, writes === 1 ? Math.floor(length / 2) : length, at);
        }) as typeof fs.writeSync,
      },
      want: /only \d+ of \d+ bytes/,
    },
    { name: "can't sync", overrides: { fsyncSync: fail("EIO") }, want: /EIO/ },
    { name: "takes no lock", overrides: { writeFileSync: fail("EDQUOT") as typeof fs.writeFileSync }, want: /quota/ },
  ];
  const before: readonly { name: string; half: string }[] = [
    { name: "", half: "" },
    { name: ", half line and all", half: '{"seq":3,"prev":"0123' },
  ];
  const cases = failures.flatMap((failure) =>
    before.map((start) => ({ ...failure, ...start, name: failure.name + start.name })),
  );

  it.each(cases)("leaves the log as it was when it $name", async ({ overrides, half, want }) => {
    writes = 0;
    await appendCounted(2, log.runtime());
    fs.appendFileSync(log.file, half);
    const whole = log.read();
    const error = await thrownBy(() => appendEvent(makeEvent(), log.runtime({ fs: { ...fs, ...overrides } })));
    expect(error).toMatchObject({ code: "AUDIT_UNWRITABLE", exitCode: 74, message: expect.stringMatching(want) });
    expect(log.read()).toEqual(whole);
    expect(fs.readdirSync(log.auditDir)).toEqual(["audit.jsonl"]);
    await appendEvent(makeEvent(), log.runtime());
    expect((await verifyLog({}, log.runtime())).ok).toBe(true);
  });
});

describe("checkAuditWritable", () => {
  it("makes what is missing, and is content with what is there", () => {
    checkAuditWritable(log.runtime());
    checkAuditWritable(log.runtime());
    expect(fs.readdirSync(log.auditDir).sort()).toEqual(["args.key", "audit.jsonl"]);
  });

  const cases: readonly { name: string; arrange: (runtime: Runtime) => Runtime | undefined }[] = [
    {
      name: "the state directory is a file",
      arrange: () => {
        fs.writeFileSync(log.stateDir, "");
        return undefined;
      },
    },
    {
      name: "the log is a directory",
      arrange: () => {
        fs.mkdirSync(log.file, { recursive: true });
        return undefined;
      },
    },
    {
      name: "the key is damaged",
      arrange: (runtime) => {
        checkAuditWritable(runtime);
        fs.writeFileSync(path.join(log.auditDir, "args.key"), "short\n");
        return undefined;
      },
    },
    {
      name: "the directory can't be written",
      arrange: (runtime) => {
        checkAuditWritable(runtime);
        const accessSync = (): never => {
          throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        };
        return log.runtime({ fs: { ...fs, accessSync } });
      },
    },
  ];
  it.each(cases)("says so when $name", async ({ arrange }) => {
    const runtime = arrange(log.runtime()) ?? log.runtime();
    expect((await thrownBy(() => checkAuditWritable(runtime))).code).toBe("AUDIT_UNWRITABLE");
  });
});

describe("many processes", () => {
  it("append at once, and some are killed, without a break or a lost record", { timeout: 120_000 }, async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-append-"));
    try {
      const worker = await bundleWorker(path.join(import.meta.dirname, "append-worker.ts"), root);
      const [processes, records] = [16, 15];
      const ended = await Promise.all(
        Array.from({ length: processes }, (_, index) =>
          runWorker(worker, [log.stateDir, `p${index}`, String(records)], index % 4 === 3 ? "\n7\n" : undefined),
        ),
      );
      expect(ended.map(({ stderr }) => stderr).join("")).toBe("");
      const written = linesOf(log.read()).map((line) => JSON.parse(line));
      for (const [index, { ended: how, stdout }] of ended.entries()) {
        const confirmed = stdout.trim().split("\n").length;
        const found = written.filter(({ profile }) => profile === `p${index}`).map(({ intent }) => Number(intent));
        if (how === 0) expect(confirmed).toBe(records);
        // A record may be in the log that its process did not live to confirm.
        expect(found.slice(0, confirmed)).toEqual(Array.from({ length: confirmed }, (_, at) => at + 1));
        expect(found.length - confirmed).toBeLessThanOrEqual(how === 0 ? 0 : records);
      }
      await appendEvent(makeEvent(), log.runtime());
      expect((await verifyLog({}, log.runtime())).ok).toBe(true);
      expect(new Set(written.map(({ command }) => command?.argsHash).filter(Boolean)).size).toBe(1);
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  });
});
