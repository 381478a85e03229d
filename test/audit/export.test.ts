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
