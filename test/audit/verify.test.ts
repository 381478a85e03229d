import { createHash } from "node:crypto";
import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyLog } from "../../src/audit/verify.js";
import { currentOwner } from "../../src/core/process-owner.js";
import { appendCounted, makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const at = (lines: readonly string[], line: number): string => lines[line - 1] ?? "";
const without = (lines: readonly string[], ...gone: number[]): string[] =>
  lines.filter((_, index) => !gone.includes(index + 1));

/** Replaces in one line (from 1). */
function edit(lines: readonly string[], line: number, from: string | RegExp, to: string): string[] {
  return lines.map((text, index) => (index === line - 1 ? text.replace(from, to) : text));
}

/** A line of a forger's, with a prev that fits. */
function forge(lines: readonly string[], after: number): string {
  return JSON.stringify({
    ...JSON.parse(at(lines, after)),
    seq: after + 1,
    prev: sha256(at(lines, after)),
    intent: "forged",
  });
}

describe("verifyLog", () => {
  const EDITS: readonly {
    name: string;
    /** Is given the eight lines of an intact log. */
    change: (lines: readonly string[]) => readonly string[];
    want: { readonly kind: string; readonly line: number; readonly what?: RegExp };
  }[] = [
    {
      name: "a value edited",
      change: (all) => edit(all, 4, "number 4", "number 5"),
      want: { kind: "edited", line: 4 },
    },
    {
      name: "a value edited in the first record",
      change: (all) => edit(all, 1, "number 1", "x"),
      want: { kind: "edited", line: 1 },
    },
    {
      name: "a value edited in the last but one",
      change: (all) => edit(all, 7, "number 7", "x"),
      want: { kind: "edited", line: 7 },
    },
    { name: "a space added", change: (all) => edit(all, 3, ",", ", "), want: { kind: "edited", line: 3 } },
    {
      name: "line ends changed",
      change: (all) => all.map((line) => `${line}\r`),
      want: { kind: "not-a-record", line: 1 },
    },
    {
      name: "a prev edited",
      change: (all) => edit(all, 5, /"prev":"..../, '"prev":"ffff'),
      want: { kind: "edited", line: 5 },
    },
    {
      name: "the first prev edited",
      change: (all) => edit(all, 1, '"prev":"0', '"prev":"1'),
      want: { kind: "edited", line: 1 },
    },
    {
      name: "a seq edited",
      change: (all) => edit(all, 5, '"seq":5', '"seq":50'),
      want: { kind: "renumbered", line: 5, what: /50 .* 5 / },
    },
    {
      name: "the first record removed",
      change: (all) => without(all, 1),
      want: { kind: "missing", line: 1, what: /record 1 is/ },
    },
    {
      name: "a record removed",
      change: (all) => without(all, 4),
      want: { kind: "missing", line: 4, what: /record 4 is/ },
    },
    {
      name: "records removed",
      change: (all) => without(all, 4, 5, 6),
      want: { kind: "missing", line: 4, what: /records 4 to 6 are/ },
    },
    { name: "one removed and the rest renumbered", change: renumberWithout4, want: { kind: "edited", line: 4 } },
    {
      name: "two records exchanged",
      change: (all) => [...all.slice(0, 2), at(all, 4), at(all, 3), ...all.slice(4)],
      want: { kind: "reordered", line: 3, what: /record 3 in line 4/ },
    },
    {
      name: "a record moved to the end",
      change: (all) => [...without(all, 2), at(all, 2)],
      want: { kind: "reordered", line: 2, what: /record 2 in line 8/ },
    },
    {
      name: "a record repeated",
      change: (all) => [...all.slice(0, 4), at(all, 4), ...all.slice(4)],
      want: { kind: "repeated", line: 5 },
    },
    {
      name: "a record inserted",
      change: (all) => [...all.slice(0, 4), forge(all, 4), ...all.slice(4)],
      want: { kind: "repeated", line: 6 },
    },
    {
      name: "a line that is not JSON",
      change: (all) => edit(all, 6, /^\{/, ""),
      want: { kind: "not-a-record", line: 6 },
    },
    {
      name: "an empty line",
      change: (all) => [...all.slice(0, 3), "", ...all.slice(3)],
      want: { kind: "not-a-record", line: 4 },
    },
    { name: "JSON that is no record", change: (all) => [...all, "null"], want: { kind: "not-a-record", line: 9 } },
    {
      name: "a seq that is no number",
      change: (all) => edit(all, 5, '"seq":5', '"seq":"5"'),
      want: { kind: "not-a-record", line: 5 },
    },
  ];

  it.each(EDITS)("sees: $name", async ({ change, want }) => {
    await appendCounted(8, log.runtime());
    const lines = log.read().toString("utf8").trimEnd().split("\n");
    fs.writeFileSync(log.file, `${change(lines).join("\n")}\n`);
    const { ok, records, head, problem } = await verifyLog({}, log.runtime());
    expect({ ok, kind: problem?.kind, line: problem?.line }).toEqual({ ok: false, kind: want.kind, line: want.line });
    if (want.what !== undefined) expect(problem?.what).toMatch(want.what);
    expect(records).toBe(want.line - 1);
    if (want.line > 1 && want.kind !== "repeated") expect(head).toBe(sha256(at(lines, want.line - 1)));
  });

  it("sees half a line, which is where a crash was", async () => {
    await appendCounted(3, log.runtime());
    fs.truncateSync(log.file, log.read().length - 1);
    expect(await verifyLog({}, log.runtime())).toMatchObject({
      ok: false,
      records: 2,
      problem: { kind: "half-line", line: 3 },
    });
  });

  it("is content with no log, and with an empty one", async () => {
    const want = { ok: true, records: 0, head: "0".repeat(64) };
    expect(await verifyLog({}, log.runtime())).toEqual(want);
    expect(fs.existsSync(log.stateDir)).toBe(false);
    await appendCounted(1, log.runtime());
    fs.truncateSync(log.file);
    expect(await verifyLog({}, log.runtime())).toEqual(want);
  });

  describe("with the head of a receipt", () => {
    const CASES: readonly {
      name: string;
      head: number;
      change: (lines: string[]) => string[];
      want: string | undefined;
    }[] = [
      { name: "holds for the last record", head: 5, change: (all) => all, want: undefined },
      { name: "holds for an earlier record", head: 2, change: (all) => all, want: undefined },
      { name: "sees records cut off at the end", head: 5, change: (all) => all.slice(0, 3), want: "head-not-found" },
      {
        name: "sees an edit of the last record",
        head: 5,
        change: (all) => edit(all, 5, "number 5", "x"),
        want: "head-not-found",
      },
      { name: "sees that the whole log is gone", head: 5, change: () => [], want: "head-not-found" },
      {
        name: "knows that the last record was not the one edited",
        head: 5,
        change: (all) => edit(all, 4, "number 4", "x"),
        want: "edited",
      },
    ];
    it.each(CASES)("$name", async ({ head, change, want }) => {
      await appendCounted(5, log.runtime());
      const lines = log.read().toString("utf8").trimEnd().split("\n");
      fs.writeFileSync(
        log.file,
        change(lines)
          .map((line) => `${line}\n`)
          .join(""),
      );
      const result = await verifyLog({ head: sha256(at(lines, head)) }, log.runtime());
      expect({ ok: result.ok, kind: result.problem?.kind }).toEqual({ ok: want === undefined, kind: want });
    });
  });

  it("does not take a record that is being written for half a one", async () => {
    await appendCounted(3, log.runtime());
    const whole = log.read();
    fs.truncateSync(log.file, whole.length - 20);
    const lock = path.join(log.auditDir, "audit.lock");
    fs.writeFileSync(lock, JSON.stringify({ owner: currentOwner(log.runtime()), nonce: "the writer's" }));
    const finishWriting = async (): Promise<void> => {
      fs.writeFileSync(log.file, whole);
      fs.rmSync(lock);
    };
    expect(await verifyLog({}, log.runtime({ sleep: finishWriting }))).toMatchObject({ ok: true, records: 3 });
  });

  it("reads a log whose directory can't be written, such as a copy", async () => {
    await appendCounted(2, log.runtime());
    const accessSync = (): never => {
      throw Object.assign(new Error("EROFS"), { code: "EROFS" });
    };
    const linkSync = (): never => {
      throw Object.assign(new Error("EROFS"), { code: "EROFS" });
    };
    const runtime = log.runtime({ fs: { ...fs, accessSync, linkSync } });
    expect(await verifyLog({}, runtime)).toMatchObject({ ok: true, records: 2 });
  });
});

function renumberWithout4(lines: readonly string[]): string[] {
  return without(lines, 4).map((line, index) => line.replace(/"seq":\d+/, `"seq":${index + 1}`));
}
