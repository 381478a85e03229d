import { EventEmitter } from "node:events";
import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Ending, EndOrder } from "../src/core/lease.js";
import type { Happening } from "../src/core/run-request.js";
import type { Runtime } from "../src/core/runtime.js";
import { listLeases, lockLease, openLease } from "../src/lease/index.js";
import { type SweepRequest, sweepBeside, sweepSession } from "../src/sweep-session.js";
import { ID, makeLease, makeScratchLedger, OPENED, type ScratchLedger } from "./lease/scratch-ledger.js";
import { thrownBy } from "./thrown.js";

const clouds = vi.hoisted(() => ({ endGrants: vi.fn() }));
vi.mock("../src/clouds/index.js", async (importOriginal) => ({ ...(await importOriginal<object>()), ...clouds }));

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
  clouds.endGrants.mockReset();
});
afterEach(() => ledger.remove());

/** Another process, which is alive, ends the lease; the clock moves only by sleeping. */
async function sweep(request: Partial<SweepRequest>, meanwhile: () => void = () => {}) {
  openLease(makeLease(), ledger.runtime()).update({ state: "ending" });
  let clock = 0;
  const told: Happening[] = [];
  const runtime = ledger.runtime({
    now: () => clock,
    sleep: async (ms) => {
      clock += ms;
      meanwhile();
    },
  });
  const whole = { ids: [], cloud: false, asWatchdog: false, ...request };
  const { leases } = await sweepSession(whole, (happening) => told.push(happening), runtime);
  return { leases, told, waitedMs: clock };
}

describe("a lease that another process is ending", () => {
  const notice = { kind: "notice", text: `waiting for process ${process.pid}, which is ending lease ${ID}` };

  it.each([
    { name: "all", request: {} },
    { name: "this one", request: { ids: [ID] } },
    { name: "those of its profile", request: { profileName: "deploy" } },
  ])("is waited for by a sweep of $name, for two minutes, and is then not ended", async ({ request }) => {
    const { leases, told, waitedMs } = await sweep(request);
    expect(leases).toEqual([{ id: ID, profile: "deploy", outcome: "busy", endings: [] }]);
    expect([told, waitedMs]).toEqual([[notice], 120_000]);
  });

  it("may be gone meanwhile, which is fine", async () => {
    const { leases, told } = await sweep({}, () => fs.rmSync(ledger.file(), { force: true }));
    expect(leases).toEqual([{ id: ID, profile: "deploy", outcome: "gone", endings: [] }]);
    expect(told).toEqual([notice]);
  });

  it("is not waited for by a sweep of another profile", async () => {
    expect(await sweep({ profileName: "other" })).toEqual({ leases: [], told: [], waitedMs: 0 });
  });

  it("is nothing that a watchdog has to tell of", async () => {
    expect(await sweep({ ids: [ID], asWatchdog: true })).toMatchObject({ leases: [], told: [] });
  });
});

it("an identity source that there is none of is refused, though there is nothing to sweep", async () => {
  const request = { ids: [], cloud: false, asWatchdog: false, identitySource: "foo" };
  expect(await thrownBy(() => sweepSession(request, () => {}, ledger.runtime()))).toMatchObject({ code: "USAGE" });
});

describe("a lease that its cloud takes back only later", () => {
  const RETRY_AT = OPENED + 298_000;
  const WAITER = 77;
  const AT = "2026-01-31T09:30:00Z";
  const queuedUntil = (retryAt: number): Ending => {
    const time = new Date(retryAt).toISOString();
    return { cloud: "aws", word: "expires", at: AT, detail: "d", isUnfinished: true, retryAt: time };
  };
  const QUEUED = queuedUntil(RETRY_AT);
  const REVOKED: Ending = { cloud: "aws", word: "revoked", at: AT, detail: "d" };
  const FAILED: Ending = { ...REVOKED, word: "failed", isUnfinished: true };

  /** What a dead agentctl left, and what comes of a sweep of it; the clock moves only by sleeping. */
  function stage(endings: readonly Ending[]) {
    openLease(makeLease(), ledger.deadRuntime()).update({ state: "ending", endings });
    const starts: (readonly string[])[] = [];
    const told: Happening[] = [];
    let clock = OPENED + 60_000;
    let sleeps = 0;
    const runtime = ledger.runtime({
      now: () => clock,
      sleep: async (ms) => {
        clock += ms;
        sleeps += 1;
        if (sleeps > 10_000) throw new Error("it waits for ever");
      },
      spawn: ((_: string, args: readonly string[]) => {
        starts.push(args);
        return Object.assign(new EventEmitter(), { unref: () => {}, pid: WAITER });
      }) as unknown as Runtime["spawn"],
    });
    const sweepIt = (request: Partial<SweepRequest>) =>
      sweepSession({ ids: [], cloud: false, asWatchdog: false, ...request }, (each) => told.push(each), runtime);
    return { starts, told, runtime, sweepIt, clockOf: () => clock };
  }

  /** What each of the tries comes to, as far as something may be tried; the last of them from then on. */
  function answer(...tries: readonly Ending[]): void {
    let count = 0;
    clouds.endGrants.mockImplementation(async (orders: readonly EndOrder[]) => {
      if (orders.length === 0) return [];
      count += 1;
      return [tries[Math.min(count, tries.length) - 1]];
    });
  }
  const tries = () => clouds.endGrants.mock.calls.filter(([orders]) => orders.length > 0).length;
  const stateOf = (now: number) => listLeases(ledger.runtime({ now: () => now })).map(({ state }) => state);
  const asWaiter = (...identity: readonly string[]) => ["lease", "sweep", "--as-watchdog", "--queued", ...identity, ID];

  describe("by its watchdog", () => {
    it("is left to a successor, and there is nothing to tell", async () => {
      const { sweepIt, starts, told } = stage([QUEUED]);
      expect((await sweepIt({ ids: [ID], asWatchdog: true })).leases).toEqual([]);
      expect(starts).toEqual([asWaiter()]);
      expect(clouds.endGrants).not.toHaveBeenCalled();
      expect(told).toEqual([]);
    });

    it("is left to a successor once that is seen, and then it is told", async () => {
      answer(QUEUED);
      const { sweepIt, starts } = stage([]);
      const { leases } = await sweepIt({ ids: [ID], asWatchdog: true, identitySource: "env" });
      expect(leases).toMatchObject([{ id: ID, outcome: "queued", endings: [QUEUED] }]);
      expect(starts).toEqual([asWaiter("--identity", "env")]);
      expect(stateOf(OPENED)).toEqual(["queued"]);
    });

    it.each([
      { name: "has ended", ending: REVOKED, outcome: "ended" },
      { name: "could not be ended", ending: FAILED, outcome: "unfinished" },
    ])("has no successor where it $name", async ({ ending, outcome }) => {
      answer(ending);
      const { sweepIt, starts } = stage([]);
      expect((await sweepIt({ ids: [ID], asWatchdog: true })).leases).toMatchObject([{ outcome }]);
      expect(starts).toEqual([]);
    });
  });

  describe("by its watchdog's successor", () => {
    const queue = { ids: [ID], asWatchdog: true, isQueued: true };

    it("is waited for, and ended", async () => {
      answer(REVOKED);
      const { sweepIt, clockOf, starts, told } = stage([QUEUED]);
      expect((await sweepIt(queue)).leases).toMatchObject([{ outcome: "ended", endings: [REVOKED] }]);
      expect(clockOf()).toBe(RETRY_AT);
      expect([tries(), ledger.names(), starts, told]).toEqual([1, [], [], []]);
    });

    it("is tried again when its cloud names another time, up to five times, and is then a sweep's", async () => {
      const { sweepIt, clockOf, runtime, starts } = stage([QUEUED]);
      clouds.endGrants.mockImplementation(async () => [queuedUntil(runtime.now() + 60_000)]);
      expect((await sweepIt(queue)).leases).toMatchObject([{ outcome: "queued" }]);
      expect(clouds.endGrants).toHaveBeenCalledTimes(5);
      expect(clockOf()).toBe(RETRY_AT + 4 * 60_000);
      expect([starts, ledger.names()]).toEqual([[], [`${ID}.json`]]);
      expect(stateOf(clockOf() + 119_999)).toEqual(["queued"]);
      expect(stateOf(clockOf() + 120_000)).toEqual(["orphaned"]);
    });

    it("is not tried over and over where its time is past", async () => {
      answer(QUEUED, REVOKED);
      const { sweepIt, clockOf } = stage([QUEUED]);
      expect((await sweepIt(queue)).leases).toMatchObject([{ outcome: "ended" }]);
      expect([tries(), clockOf()]).toEqual([2, RETRY_AT + 5_000]);
    });

    it("is not tried again when its cloud names no other time", async () => {
      answer(FAILED);
      const { sweepIt } = stage([QUEUED]);
      expect((await sweepIt(queue)).leases).toMatchObject([{ outcome: "unfinished" }]);
      expect(tries()).toBe(1);
    });

    it("may be gone meanwhile, which is fine", async () => {
      const { sweepIt, runtime } = stage([QUEUED]);
      Object.assign(runtime, { sleep: async () => fs.rmSync(ledger.file(), { force: true }) });
      expect((await sweepIt(queue)).leases).toEqual([{ id: ID, outcome: "gone", endings: [] }]);
      expect(tries()).toBe(0);
    });

    it("is waited for by one alone", async () => {
      answer(REVOKED);
      const { sweepIt, runtime } = stage([QUEUED]);
      const other = await lockLease(ID, runtime, "queue");
      expect((await sweepIt(queue)).leases).toEqual([]);
      await other?.release();
      expect([tries(), stateOf(OPENED)]).toEqual([0, ["queued"]]);
      expect((await sweepIt(queue)).leases).toMatchObject([{ outcome: "ended" }]);
    });
  });

  describe("by a sweep", () => {
    it.each([
      { name: "all", request: {} },
      { name: "this one", request: { ids: [ID] } },
    ])("of $name is reported, not tried before its time, and seen to", async ({ request }) => {
      const { sweepIt, starts, clockOf } = stage([QUEUED]);
      answer(REVOKED);
      const { leases } = await sweepIt(request);
      const waiter = { is: "watchdog", pid: WAITER };
      expect(leases).toEqual([{ id: ID, profile: "deploy", outcome: "queued", endings: [QUEUED], waiter }]);
      expect([tries(), clockOf(), starts]).toEqual([0, OPENED + 60_000, [asWaiter()]]);
      expect(stateOf(OPENED)).toEqual(["queued"]);
    });

    it("is told to be waited for by whoever does, and nobody else is started", async () => {
      answer(REVOKED);
      const { sweepIt, runtime, starts } = stage([QUEUED]);
      const queue = await lockLease(ID, runtime, "queue");
      const { leases } = await sweepIt({ ids: [ID] });
      await queue?.release();
      expect([leases[0]?.waiter, starts]).toEqual([{ is: "watchdog", pid: process.pid }, []]);
    });

    it("is ended when its time has come", async () => {
      answer(REVOKED);
      const { sweepIt, runtime, starts } = stage([QUEUED]);
      await runtime.sleep(RETRY_AT - runtime.now());
      expect((await sweepIt({})).leases).toMatchObject([{ outcome: "ended", endings: [REVOKED] }]);
      expect([tries(), stateOf(RETRY_AT), starts]).toEqual([1, [], []]);
    });
  });

  describe("beside another's command", () => {
    const beside = async (runtime: Runtime): Promise<readonly Happening[]> => {
      const told: Happening[] = [];
      await sweepBeside("l-OTHER", new AbortController().signal, (each) => told.push(each), runtime);
      return told;
    };

    it.each([
      { name: "is left alone where somebody waits", isWaitedFor: true, want: [] },
      { name: "gets somebody who waits where whoever did was killed", isWaitedFor: false, want: [asWaiter()] },
    ])("$name, and there is nothing to tell", async ({ isWaitedFor, want }) => {
      answer(REVOKED);
      const { runtime, starts } = stage([QUEUED]);
      const queue = isWaitedFor ? await lockLease(ID, runtime, "queue") : undefined;
      expect(await beside(runtime)).toEqual([]);
      await queue?.release();
      expect([clouds.endGrants.mock.calls, starts, stateOf(OPENED)]).toEqual([[], want, ["queued"]]);
    });

    it("gets somebody who waits also where a dead process's lock is left", async () => {
      const { runtime, starts } = stage([QUEUED]);
      await lockLease(ID, ledger.deadRuntime(), "queue");
      await beside(runtime);
      expect(starts).toEqual([asWaiter()]);
    });

    it("gets somebody who waits for it once that is seen, and is told of", async () => {
      answer(QUEUED);
      const { runtime, starts } = stage([]);
      expect(await beside(runtime)).toMatchObject([{ kind: "swept", lease: { id: ID, outcome: "queued" } }]);
      expect(starts).toEqual([asWaiter()]);
    });

    it("is ended a minute after its time, when nobody has", async () => {
      answer(REVOKED);
      const { runtime } = stage([QUEUED]);
      await runtime.sleep(RETRY_AT + 60_000 - runtime.now());
      expect(await beside(runtime)).toMatchObject([{ kind: "swept", lease: { id: ID, outcome: "ended" } }]);
      expect(stateOf(RETRY_AT)).toEqual([]);
    });
  });
});
