import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Happening } from "../src/core/run-request.js";
import { openLease } from "../src/lease/index.js";
import { type SweepRequest, sweepSession } from "../src/sweep-session.js";
import { ID, makeLease, makeScratchLedger, type ScratchLedger } from "./lease/scratch-ledger.js";
import { thrownBy } from "./thrown.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
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
