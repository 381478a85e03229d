import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportEvents, writeExport } from "../../src/audit/export.js";
import { appendEvent } from "../../src/audit/log.js";
import { thrownBy } from "../thrown.js";
import { appendCounted, collect, makeEvent, makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

/** RFC 4180, read independently of the library that wrote it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end = ""] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

async function exportCsv(): Promise<Record<string, string>[]> {
  const text = (await collect(exportEvents("csv", {}, log.runtime()))).join("");
  const [header = [], ...rows] = parseCsv(text);
  return rows.map((row) => Object.fromEntries(row.map((cell, index) => [header[index] ?? "?", cell])));
}

describe("exportEvents", () => {
  it("writes JSON Lines as they stand in the log", async () => {
    await appendCounted(3, log.runtime());
    const text = (await collect(exportEvents("jsonl", {}, log.runtime()))).join("");
    expect(text).toBe(log.read().toString("utf8"));
  });

  it("keeps to the time range", async () => {
    for (const day of [1, 2, 3]) await appendEvent(makeEvent({ time: `2026-01-0${day}T12:00:00.000Z` }), log.runtime());
    const range = { since: Date.UTC(2026, 0, 2), until: Date.UTC(2026, 0, 3) };
    const lines = await collect(exportEvents("jsonl", range, log.runtime()));
    expect(lines.filter(Boolean).map((line) => JSON.parse(line).seq)).toEqual([2]);
  });

  it("writes CSV with what has parts as JSON", async () => {
    const grants = [{ cloud: "aws", principal: 'a "role"', usableUntil: "u", expiresAt: "e", facts: { a: 1 } }];
    await appendEvent(
      makeEvent({ grants, decision: { allowed: false, reasons: ["one, two"] }, child: { exitCode: 3 } }),
      log.runtime(),
    );
    const [row] = await exportCsv();
    expect(row).toMatchObject({ seq: "1", kind: "lease.start", allowed: "false", exit_code: "3", intent: "" });
    expect(JSON.parse(row?.["grants"] ?? "")).toEqual(grants);
    expect(JSON.parse(row?.["reasons"] ?? "")).toEqual(["one, two"]);
  });

  const cells: readonly { name: string; intent: string; want: string }[] = [
    { name: "a comma and quotes", intent: 'a, "b"', want: 'a, "b"' },
    { name: "a formula", intent: '=HYPERLINK("http://x")', want: `'=HYPERLINK("http://x")` },
    { name: "a plus", intent: "+1", want: "'+1" },
    { name: "a minus", intent: "-1+cmd|' /C calc'!A0", want: "'-1+cmd|' /C calc'!A0" },
    { name: "an at sign", intent: "@SUM(A1)", want: "'@SUM(A1)" },
    { name: "a full-width equals sign", intent: "＝1", want: "'＝1" },
    { name: "a formula behind a quote", intent: '"=1', want: '"=1' },
    { name: "a tab first", intent: "\t=1", want: "\\u0009=1" },
    { name: "a line break", intent: "a\r\n=b", want: "a\\u000d\\u000a=b" },
    { name: "a terminal escape", intent: "\u001b[2J\u009b", want: "\\u001b[2J\\u009b" },
  ];
  it.each(cells)("writes $name so that it does no harm", async ({ intent, want }) => {
    await appendEvent(makeEvent({ intent }), log.runtime());
    expect((await exportCsv())[0]?.["intent"]).toBe(want);
  });

  it("writes the header of a CSV that has no records", async () => {
    expect((await collect(exportEvents("csv", {}, log.runtime()))).join("")).toMatch(/^seq,time,kind,.*\r\n$/);
  });
});

describe("writeExport", () => {
  async function* chunks(): AsyncGenerator<string> {
    yield "a";
    yield "b";
  }
  const target = (): string => path.join(log.stateDir, "out", "export.csv");
  beforeEach(() => fs.mkdirSync(path.dirname(target()), { recursive: true }));

  it("writes the whole, for this user only, over an earlier file", async () => {
    fs.writeFileSync(target(), "something longer", { mode: 0o644 });
    await writeExport("export.csv", chunks(), log.runtime({ cwd: path.dirname(target()) }));
    expect(fs.readFileSync(target(), "utf8")).toBe("ab");
    expect(fs.statSync(target()).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(path.dirname(target()))).toEqual(["export.csv"]);
  });

  const cases: readonly { name: string; arrange: () => void }[] = [
    { name: "a symbolic link", arrange: () => fs.symlinkSync(path.join(log.stateDir, "elsewhere"), target()) },
    { name: "a directory", arrange: () => fs.mkdirSync(target()) },
    { name: "a place in no directory", arrange: () => fs.rmdirSync(path.dirname(target())) },
  ];
  it.each(cases)("refuses $name", async ({ arrange }) => {
    arrange();
    expect((await thrownBy(() => writeExport(target(), chunks(), log.runtime()))).code).toBe("STATE_UNWRITABLE");
    expect(fs.existsSync(path.join(log.stateDir, "elsewhere"))).toBe(false);
  });

  it("leaves nothing when the records can't be read to the end", async () => {
    async function* failing(): AsyncGenerator<string> {
      yield "a";
      throw new Error("read failed");
    }
    expect((await thrownBy(() => writeExport(target(), failing(), log.runtime()))).code).toBe("STATE_UNWRITABLE");
    expect(fs.readdirSync(path.dirname(target()))).toEqual([]);
  });
});
