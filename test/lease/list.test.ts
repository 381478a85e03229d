import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ending } from "../../src/core/lease.js";
import { findLease, type LeaseSelection, listLeases, openLease, selectLeases } from "../../src/lease/index.js";
import { thrownBy } from "../thrown.js";
import { DEADLINE, ID, makeGrant, makeLease, makeScratchLedger, OPENED, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
});
afterEach(() => ledger.remove());

const A = "l-AAAAAAAAAAAAAAAA";
const B = "l-BBBBBBBBBBBBBBBB";
const C = "l-BBCCCCCCCCCCCCCC";

describe("listLeases", () => {
  it("is empty where nothing was ever opened, and makes nothing", () => {
    expect(listLeases(ledger.runtime())).toEqual([]);
    expect(fs.existsSync(ledger.stateDir)).toBe(false);
  });

  it("lists the oldest first, with the state that its process gives it", () => {
    const runtime = ledger.runtime();
    openLease(makeLease(B, {}, OPENED + 2), runtime);
    openLease(makeLease(A, {}, OPENED + 3), runtime).update({ state: "ended", grants: [makeGrant()] });
    openLease(makeLease(C, {}, OPENED + 1), ledger.deadRuntime());
    ledger.edit(B, (entry) => Object.assign(entry["owner"] as object, { pidNamespace: "pid:[0]" }));
    expect(listLeases(runtime)).toMatchObject([
      { id: C, state: "orphaned", usableUntil: DEADLINE },
      { id: B, state: "unknown", usableUntil: DEADLINE },
      { id: A, state: "ended", usableUntil: DEADLINE - 1000 },
    ]);
  });

  const RETRY_AT = "2026-01-31T09:05:00Z";
  const queued: Ending = {
    cloud: "aws",
    word: "expires",
    at: "2026-01-31T09:30:00Z",
    detail: "d",
    isUnfinished: true,
    retryAt: RETRY_AT,
  };
  it.each([
    { name: "queued, until its cloud takes it back", at: -1, ending: queued, want: "queued" },
    { name: "queued, while that may be under way", at: 59_999, ending: queued, want: "queued" },
    { name: "orphaned, when nobody has by then", at: 60_000, ending: queued, want: "orphaned" },
    {
      name: "orphaned, where it may be tried at once",
      at: -1,
      ending: { cloud: "aws", word: "failed", at: RETRY_AT, detail: "d", isUnfinished: true } as const,
      want: "orphaned",
    },
  ])("lists what a dead process has left as $name", ({ at, ending, want }) => {
    openLease(makeLease(), ledger.deadRuntime()).update({ state: "ending", endings: [ending] });
    const now = () => Date.parse(RETRY_AT) + at;
    expect(listLeases(ledger.runtime({ now }))).toMatchObject([{ id: ID, state: want }]);
  });

  it("lists what waits as what it is, as long as its own process lives", () => {
    openLease(makeLease(), ledger.runtime()).update({ state: "ending", endings: [queued] });
    expect(listLeases(ledger.runtime({ now: () => OPENED }))).toMatchObject([{ state: "ending" }]);
  });

  it("cannot tell whether it waits of what is another container's", () => {
    openLease(makeLease(), ledger.deadRuntime()).update({ state: "ending", endings: [queued] });
    ledger.edit(ID, (entry) => Object.assign(entry["owner"] as object, { pidNamespace: "pid:[0]" }));
    expect(listLeases(ledger.runtime({ now: () => OPENED }))).toMatchObject([{ state: "unknown" }]);
  });

  const endings: readonly { name: string; ending: Partial<Ending>; want: number }[] = [
    { name: "ended before its time", ending: { word: "revoked", at: "2026-01-31T09:02:00Z" }, want: OPENED + 120_000 },
    { name: "about to end", ending: { word: "fenced", at: "2026-01-31T09:25:00Z" }, want: OPENED + 1_500_000 },
    { name: "not ended", ending: { word: "failed", at: "2026-01-31T09:02:00Z" }, want: DEADLINE - 1000 },
  ];
  it.each(endings)("says how long a grant is usable that is $name", ({ ending, want }) => {
    const whole: Ending = { cloud: "aws", word: "failed", at: "", detail: "", ...ending };
    openLease(makeLease(), ledger.runtime()).update({ grants: [makeGrant()], endings: [whole] });
    expect(listLeases(ledger.runtime())).toMatchObject([{ usableUntil: want }]);
  });

  const NOT_ONE = "it is not a ledger entry";
  const unreadable: readonly { name: string; write: (file: string, whole: string) => void; want: string }[] = [
    { name: "garbage", write: (file) => fs.writeFileSync(file, "\u0000garbage"), want: NOT_ONE },
    { name: "nothing", write: (file) => fs.writeFileSync(file, ""), want: NOT_ONE },
    { name: "half an entry", write: (file, text) => fs.writeFileSync(file, text.slice(0, 99)), want: NOT_ONE },
    {
      name: "the version before",
      write: (file, text) => fs.writeFileSync(file, text.replace('"version": 2', '"version": 1')),
      want: "it is of another version of agentctl",
    },
    {
      name: "another lease",
      write: (file, text) => fs.writeFileSync(file, text.replaceAll(ID, "l-2")),
      want: "it is the entry of another lease",
    },
    { name: "a directory", write: (file) => replace(file, () => fs.mkdirSync(file)), want: "it is a directory" },
    {
      name: "a symbolic link",
      write: (file) => replace(file, () => fs.symlinkSync("/dev/null", file)),
      want: "it is a symbolic link",
    },
  ];
  it.each(unreadable)("lists a file that holds $name as unreadable, with the reason", ({ write, want }) => {
    openLease(makeLease(), ledger.runtime());
    write(ledger.file(), fs.readFileSync(ledger.file(), "utf8"));
    fs.writeFileSync(ledger.file(ID, "json.0123456789ab.tmp"), "left by a crash");
    expect(listLeases(ledger.runtime())).toEqual([{ id: ID, state: "unreadable", problem: want }]);
  });
});

function replace(file: string, make: () => void): void {
  fs.rmSync(file);
  make();
}

describe("selectLeases", () => {
  beforeEach(() => {
    openLease(makeLease(A, {}, OPENED), ledger.runtime());
    openLease(makeLease(B, {}, OPENED + 60_000), ledger.deadRuntime());
    ledger.edit(B, (entry) => Object.assign(entry, { profile: "read-logs" }));
    fs.writeFileSync(ledger.file(C), "garbage");
  });

  const cases: readonly { name: string; selection: LeaseSelection; want: readonly string[] }[] = [
    { name: "all", selection: {}, want: [A, B, C] },
    { name: "of a profile", selection: { profile: "read-logs" }, want: [B] },
    { name: "of no profile", selection: { profile: "nosuch" }, want: [] },
    { name: "in a state", selection: { states: ["orphaned"] }, want: [B] },
    { name: "in one of two states", selection: { states: ["issuing", "unreadable"] }, want: [A, C] },
    { name: "in none", selection: { states: [] }, want: [] },
    { name: "just old enough", selection: { olderThanSeconds: 60 }, want: [A, B] },
    { name: "older", selection: { olderThanSeconds: 61 }, want: [A] },
    { name: "by id", selection: { ids: [C, "l-nosuch"] }, want: [C] },
    { name: "that everything fits", selection: { profile: "deploy", states: ["orphaned"] }, want: [] },
  ];
  it.each(cases)("takes $name", ({ selection, want }) => {
    const now = OPENED + 120_000;
    expect(selectLeases(listLeases(ledger.runtime()), selection, now).map(({ id }) => id)).toEqual(want);
  });
});

describe("findLease", () => {
  beforeEach(() => {
    for (const id of [A, B, C]) openLease(makeLease(id), ledger.runtime());
  });

  it.each([
    { name: "the whole id", typed: A, want: A },
    { name: "its beginning", typed: "l-A", want: A },
    { name: "in small letters", typed: "l-bbb", want: B },
  ])("takes $name", ({ typed, want }) => expect(findLease(typed, ledger.runtime()).id).toBe(want));

  it("takes an id that is also the beginning of another", () => {
    openLease(makeLease(`${A}A`), ledger.runtime());
    expect(findLease(A, ledger.runtime()).id).toBe(A);
  });

  it.each([
    { name: "more than one fits", typed: "l-B", facts: { candidates: [B, C] } },
    { name: "all fit", typed: "l-", facts: { candidates: [A, B, C] } },
    { name: "none fits", typed: "l-X", facts: {} },
    { name: "nothing is typed", typed: "", facts: {} },
  ])("is wrong usage when $name", async ({ typed, facts }) => {
    expect(await thrownBy(() => findLease(typed, ledger.runtime()))).toMatchObject({ code: "USAGE", facts });
  });

  it("does not print a screen full of candidates", async () => {
    for (let number = 10; number < 20; number += 1) openLease(makeLease(`l-D${number}`), ledger.runtime());
    expect((await thrownBy(() => findLease("l-D", ledger.runtime()))).hint).toMatch(
      /^it may be l-D10, .*, and 5 more$/,
    );
  });
});
