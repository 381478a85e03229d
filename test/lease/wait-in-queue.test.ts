import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ending } from "../../src/core/lease.js";
import { claimLease, leaseQueuedUntil, openLease, waitInQueue } from "../../src/lease/index.js";
import { ID, makeLease, makeScratchLedger, OPENED, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
});
afterEach(() => ledger.remove());

const RETRY_MS = 298_000;
const RETRY_AT = OPENED + RETRY_MS;

const queuedOf = (cloud: Ending["cloud"], retryAt?: number): Ending => ({
  cloud,
  word: "expires",
  at: "2026-01-31T09:30:00Z",
  detail: "d",
  isUnfinished: true,
  ...(retryAt !== undefined && { retryAt: new Date(retryAt).toISOString() }),
});

const PLANS = (["aws", "azure"] as const).map((cloud) => {
  return { cloud, channel: "env", principal: "p", undo: {}, facts: {} } as const;
});
const open = (...endings: readonly Ending[]) =>
  openLease(makeLease(ID, { plans: PLANS.slice(0, endings.length) }), ledger.deadRuntime()).update({ endings });

interface Waiting {
  readonly from?: number;
  /** In this pause, counted from one, `act` is done, and the clock jumps. */
  readonly pause?: number;
  readonly act?: () => void;
  readonly jumpMs?: number;
}

/** The clock moves only by sleeping, but for one jump. */
async function wait({ from = OPENED, pause, act = () => {}, jumpMs = 0 }: Waiting = {}) {
  let clock = from;
  const pauses: number[] = [];
  const runtime = ledger.runtime({
    now: () => clock,
    sleep: async (ms) => {
      pauses.push(ms);
      clock += ms;
      if (pauses.length === pause) {
        clock += jumpMs;
        act();
      }
      if (pauses.length > 1_000) throw new Error("it waits for ever");
    },
  });
  await waitInQueue(ID, runtime);
  return { pauses, until: clock };
}

describe("the time that a lease in the ledger waits for", () => {
  it("is that of its entry", () => {
    open(queuedOf("aws", RETRY_AT));
    expect(leaseQueuedUntil(ID, ledger.runtime())).toBe(RETRY_AT);
  });

  it("is none of a lease that is not there, nor of one that cannot be read", () => {
    expect(leaseQueuedUntil(ID, ledger.runtime())).toBeUndefined();
    open(queuedOf("aws", RETRY_AT));
    fs.writeFileSync(ledger.file(), "garbage");
    expect(leaseQueuedUntil(ID, ledger.runtime())).toBeUndefined();
  });
});

describe("waiting in the queue", () => {
  it("lasts until that time, looking every five seconds", async () => {
    open(queuedOf("aws", RETRY_AT));
    const { pauses, until } = await wait();
    expect(until).toBe(RETRY_AT);
    expect(pauses).toEqual([...new Array(59).fill(5_000), 3_000]);
  });

  it("lasts until the last of two times", async () => {
    open(queuedOf("aws", RETRY_AT), queuedOf("azure", RETRY_AT - 60_000));
    expect((await wait()).until).toBe(RETRY_AT);
  });

  it("waits also where something else could be tried at once, since that has just failed", async () => {
    open(queuedOf("aws"), queuedOf("azure", RETRY_AT));
    expect((await wait()).until).toBe(RETRY_AT);
  });

  it("waits five seconds at least, so that a cloud whose clock is behind is not asked over and over", async () => {
    open(queuedOf("aws", RETRY_AT));
    expect(await wait({ from: RETRY_AT + 1 })).toEqual({ pauses: [5_000], until: RETRY_AT + 5_001 });
    expect(await wait({ from: RETRY_AT - 2_000 })).toEqual({ pauses: [5_000], until: RETRY_AT + 3_000 });
  });

  it.each([
    { name: "there is nothing in the ledger", prepare: () => {} },
    { name: "it may be tried at once", prepare: () => open(queuedOf("aws")) },
    { name: "all has ended", prepare: () => open({ ...queuedOf("aws", RETRY_AT), isUnfinished: false }) },
    { name: "nothing has been tried", prepare: () => openLease(makeLease(), ledger.deadRuntime()) },
    {
      name: "it cannot be read",
      prepare: () => [open(queuedOf("aws", RETRY_AT)), fs.writeFileSync(ledger.file(), "garbage")],
    },
  ])("is no waiting where $name", async ({ prepare }) => {
    prepare();
    expect((await wait()).pauses).toEqual([]);
  });

  it("is over at the next look when somebody else has ended the lease", async () => {
    open(queuedOf("aws", RETRY_AT));
    const { pauses } = await wait({ pause: 3, act: () => fs.rmSync(ledger.file()) });
    expect(pauses).toHaveLength(3);
  });

  it("goes on for the new time when somebody else has tried and was refused", async () => {
    open(queuedOf("aws", RETRY_AT));
    const retry = (): void =>
      ledger.edit(ID, (entry) => {
        const [grant] = entry["grants"] as [Record<string, unknown>];
        grant["ending"] = queuedOf("aws", RETRY_AT + 60_000);
      });
    expect((await wait({ pause: 3, act: retry })).until).toBe(RETRY_AT + 60_000);
  });

  it("sees at the next look that the machine has slept", async () => {
    open(queuedOf("aws", RETRY_AT));
    const { pauses } = await wait({ pause: 2, jumpMs: 3_600_000 });
    expect(pauses).toEqual([5_000, 5_000]);
  });

  it("lasts on until that time where the clock is set back meanwhile", async () => {
    open(queuedOf("aws", RETRY_AT));
    const { pauses, until } = await wait({ pause: 2, jumpMs: -60_000 });
    expect([pauses.length, until]).toEqual([72, RETRY_AT]);
  });

  it("is done in no directory that somebody may want to remove or unmount, and goes back to its own", async () => {
    open(queuedOf("aws", RETRY_AT));
    let clock = OPENED;
    const places: string[] = [];
    const runtime = ledger.runtime({
      cwd: "/mnt/job",
      now: () => clock,
      sleep: async (ms) => {
        clock += ms;
        expect(places).toEqual(["/"]);
      },
      enter: (directory) => places.push(directory) > 0,
    });
    await waitInQueue(ID, runtime);
    expect(places).toEqual(["/", "/mnt/job"]);
  });

  it("keeps nobody from claiming the lease", async () => {
    open(queuedOf("aws", RETRY_AT));
    let claim: ReturnType<typeof claimLease> | undefined;
    await wait({
      pause: 1,
      act: () => {
        claim = claimLease(ID, ledger.runtime());
      },
    });
    const claimed = await claim;
    expect(claimed).toMatchObject({ is: "claimed" });
    if (claimed?.is === "claimed") await claimed.lease.release();
  });
});
