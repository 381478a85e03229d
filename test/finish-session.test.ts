import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Ending } from "../src/core/lease.js";
import { finishLease } from "../src/finish-session.js";
import { openLease } from "../src/lease/index.js";
import { ID, makeLease, makeScratchLedger, type ScratchLedger } from "./lease/scratch-ledger.js";

const clouds = vi.hoisted(() => ({ endGrants: vi.fn() }));
vi.mock("../src/clouds/index.js", async (importOriginal) => ({ ...(await importOriginal<object>()), ...clouds }));
const run = vi.hoisted(() => ({ endStrays: vi.fn() }));
vi.mock("../src/run/index.js", async (importOriginal) => ({ ...(await importOriginal<object>()), ...run }));

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
  clouds.endGrants.mockReset();
  run.endStrays.mockReset().mockResolvedValue({ found: 1, killed: 0, left: 0 });
});
afterEach(() => ledger.remove());

const FAILED: Ending = { cloud: "aws", word: "failed", at: "2026-01-31T09:30:00Z", detail: "d", isUnfinished: true };

it("ends what runs of a dead agentctl's command once: whoever put an end on record had seen to it", async () => {
  openLease(makeLease(), ledger.deadRuntime());
  clouds.endGrants.mockResolvedValue([FAILED]);
  const { signal } = new AbortController();
  const finish = () => finishLease(ID, { by: "sweep", unwatched: signal, signal }, () => {}, ledger.runtime());
  expect(await finish()).toMatchObject({ outcome: "unfinished", strays: { found: 1 } });
  const again = await finish();
  expect(again).toMatchObject({ outcome: "unfinished" });
  expect(again.strays).toBeUndefined();
  expect(clouds.endGrants).toHaveBeenCalledTimes(2);
  expect(run.endStrays).toHaveBeenCalledOnce();
});
