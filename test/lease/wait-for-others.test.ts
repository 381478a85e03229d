import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Runtime } from "../../src/core/runtime.js";
import { findEnder, openLease, waitWhileEnding } from "../../src/lease/index.js";
import { ID, makeLease, makeScratchLedger, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
});
afterEach(() => ledger.remove());

const open = (state: "running" | "ending" | "ended", runtime: Runtime = ledger.runtime()) =>
  openLease(makeLease(), runtime).update({ state });

/** The clock moves only by sleeping; `after` is done at the third look. */
async function wait(after: () => void = () => {}, signal = new AbortController().signal) {
  let clock = 0;
  const told: number[] = [];
  const runtime = ledger.runtime({
    now: () => clock,
    sleep: async (ms) => {
      clock += ms;
      if (clock >= 3 * ms && clock < 4 * ms) after();
    },
  });
  const rules = { waitUntil: 120_000, signal, onWaiting: (pid: number) => void told.push(pid) };
  return { isFree: await waitWhileEnding(ID, rules, runtime), told, waitedMs: clock };
}

describe("who is ending a lease", () => {
  const cases: { name: string; prepare: () => unknown; isFound: boolean }[] = [
    { name: "a process that is alive", prepare: () => open("ending"), isFound: true },
    { name: "nobody, where it runs", prepare: () => open("running"), isFound: false },
    { name: "nobody, where it has ended and its command runs", prepare: () => open("ended"), isFound: false },
    { name: "nobody, where that process is dead", prepare: () => open("ending", ledger.deadRuntime()), isFound: false },
    { name: "nobody, where there is no lease", prepare: () => {}, isFound: false },
    {
      name: "nobody, where it can't be read",
      prepare: () => [open("ending"), fs.writeFileSync(ledger.file(), "garbage")],
      isFound: false,
    },
  ];
  it.each(cases)("is $name", async ({ prepare, isFound }) => {
    prepare();
    expect(findEnder(ID, ledger.runtime())).toBe(isFound ? ledger.runtime().pid : undefined);
    if (!isFound) expect(await wait()).toEqual({ isFree: true, told: [], waitedMs: 0 });
  });
});

describe("waiting for who is ending a lease", () => {
  it.each([
    { name: "the lease is gone", after: () => fs.rmSync(ledger.file()) },
    {
      name: "it is given up",
      after: () => ledger.edit(ID, (entry) => Object.assign(entry["owner"] as object, { startedAt: "1" })),
    },
  ])("is over when $name, and is told once", async ({ after }) => {
    open("ending");
    const { isFree, told, waitedMs } = await wait(after);
    expect([isFree, told]).toEqual([true, [ledger.runtime().pid]]);
    expect(waitedMs).toBeLessThan(2_000);
  });

  it("is over in the end, and then somebody still is at it", async () => {
    open("ending");
    const { isFree, told, waitedMs } = await wait();
    expect([isFree, told.length, waitedMs]).toEqual([false, 1, 120_000]);
  });

  it("is over when nobody wants to wait", async () => {
    open("ending");
    expect(await wait(() => {}, AbortSignal.abort())).toEqual({ isFree: false, told: [], waitedMs: 0 });
  });
});
