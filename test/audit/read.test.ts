import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventFilter } from "../../src/audit/filter.js";
import { appendEvent } from "../../src/audit/log.js";
import { followEvents, readEvents, readLastEvents } from "../../src/audit/read.js";
import type { AuditEvent } from "../../src/core/event.js";
import { thrownBy } from "../thrown.js";
import { appendCounted, collect, makeEvent, makeScratchLog, type ScratchLog } from "./scratch-log.js";

let log: ScratchLog;
beforeEach(() => {
  log = makeScratchLog();
});
afterEach(() => log.remove());

const EVENTS: readonly AuditEvent[] = [
  {
    kind: "lease.start",
    time: "2026-01-01T00:00:00.000Z",
    lease: "l-1",
    profile: "read",
    actor: { kind: "human", reason: "a terminal" },
    decision: { allowed: true, reasons: [] },
  },
  { kind: "lease.end", time: "2026-01-02T00:00:00.000Z", lease: "l-1", profile: "read" },
  {
    kind: "lease.refused",
    time: "2026-01-03T00:00:00.000Z",
    lease: "l-2",
    profile: "deploy",
    actor: { kind: "agent", reason: "declared" },
    decision: { allowed: false, reasons: [] },
  },
];

describe("readEvents", () => {
  const cases: readonly { name: string; filter: EventFilter; want: readonly number[] }[] = [
    { name: "nothing", filter: {}, want: [1, 2, 3] },
    { name: "a profile", filter: { profile: "read" }, want: [1, 2] },
    { name: "a lease", filter: { lease: "l-2" }, want: [3] },
    { name: "an actor", filter: { actor: "human" }, want: [1] },
    { name: "a kind", filter: { kind: "lease.end" }, want: [2] },
    { name: "allowed", filter: { decision: "allowed" }, want: [1] },
    { name: "denied", filter: { decision: "denied" }, want: [3] },
    { name: "since, inclusive", filter: { since: Date.UTC(2026, 0, 2) }, want: [2, 3] },
    { name: "until, exclusive", filter: { until: Date.UTC(2026, 0, 2) }, want: [1] },
    { name: "several at once", filter: { profile: "read", since: Date.UTC(2026, 0, 2) }, want: [2] },
    { name: "what is not there", filter: { profile: "x" }, want: [] },
  ];
  it.each(cases)("by $name", async ({ filter, want }) => {
    for (const event of EVENTS) await appendEvent(event, log.runtime());
    const found = await collect(readEvents(filter, log.runtime()));
    expect(found.map(({ record }) => record.seq)).toEqual(want);
  });

  it("finds nothing where there is no log, and makes none", async () => {
    expect(await collect(readEvents({}, log.runtime()))).toEqual([]);
    expect(fs.existsSync(log.stateDir)).toBe(false);
  });

  it("passes over lines that are no records, counts them, and ignores a half one", async () => {
    await appendCounted(2, log.runtime());
    fs.writeFileSync(log.file, `garbage\n${log.read()}{}\n{"seq":3`);
    let unreadable = 0;
    const found = await collect(readEvents({}, log.runtime(), () => (unreadable += 1)));
    expect(found.map(({ record }) => record.seq)).toEqual([1, 2]);
    expect(unreadable).toBe(2);
  });

  it("reads across chunks, with characters of several bytes on their borders", async () => {
    const intent = "ü€😀".repeat(12_345);
    await appendEvent(makeEvent({ intent }), log.runtime());
    await appendCounted(300, log.runtime());
    const found = await collect(readEvents({}, log.runtime()));
    expect(found).toHaveLength(301);
    expect(found[0]?.record.intent).toBe(intent);
  });

  it("says so when the log can't be read", async () => {
    fs.mkdirSync(log.file, { recursive: true });
    expect((await thrownBy(() => collect(readEvents({}, log.runtime())))).code).toBe("AUDIT_UNWRITABLE");
  });
});

describe("readLastEvents", () => {
  it("keeps the last that fit", async () => {
    await appendCounted(9, log.runtime());
    const found = await readLastEvents(3, { profile: "deploy" }, log.runtime());
    expect(found.map(({ record }) => record.seq)).toEqual([7, 8, 9]);
  });
});

describe("followEvents", () => {
  it("begins with the last ones, goes on with new ones, through a crash and a replaced log", async () => {
    await appendCounted(5, log.runtime());
    const controller = new AbortController();
    const steps: (() => Promise<unknown>)[] = [
      () => appendEvent(makeEvent({ intent: "new" }), log.runtime()),
      () => appendEvent(makeEvent({ intent: "of another profile", profile: "other" }), log.runtime()),
      async () => fs.appendFileSync(log.file, '{"seq":8,"half'),
      () => appendEvent(makeEvent({ intent: "after a crash" }), log.runtime()),
      async () => fs.rmSync(log.file),
      () => appendEvent(makeEvent({ intent: "in a new log" }), log.runtime()),
    ];
    const sleep = async (): Promise<void> => {
      const step = steps.shift();
      if (step === undefined) controller.abort();
      else await step();
    };
    const runtime = log.runtime({ sleep });
    const found = await collect(followEvents({ profile: "deploy" }, runtime, { last: 2, signal: controller.signal }));
    const want = ["number 4", "number 5", "new", "after a crash", "in a new log"];
    expect(found.map(({ record }) => record.intent)).toEqual(want);
  });
});
