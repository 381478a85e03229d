import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { claimLease, listLeases, openLease, sweepFiles } from "../../src/lease/index.js";
import { bundleWorker, runWorker } from "../core/bundle-worker.js";
import { ID, makeLease, makeScratchLedger, type ScratchLedger } from "./scratch-ledger.js";

let home: ScratchLedger;
let worker: string;
let ledger: ScratchLedger;
beforeAll(async () => {
  home = makeScratchLedger();
  worker = await bundleWorker(path.join(import.meta.dirname, "ledger-worker.ts"), home.root);
});
afterAll(() => home.remove());
beforeEach(() => {
  ledger = makeScratchLedger();
  return () => ledger.remove();
});

const work = (...args: string[]) => runWorker(worker, [ledger.stateDir, ...args]);
const idOf = (number: number) => `l-${String(number).padStart(16, "0")}`;

test("many processes open, look and close at once: nobody sees half an entry, and nothing is left", async () => {
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => work("live", "20")));
  expect(outcomes).toEqual(outcomes.map(() => ({ ended: 0, stdout: "", stderr: "" })));
  expect(ledger.names()).toEqual([]);
});

test("of many processes that claim the same orphans, each orphan goes to one", async () => {
  const ids = Array.from({ length: 30 }, (_, index) => idOf(index));
  for (const id of ids) openLease(makeLease(id), ledger.deadRuntime());
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => work("claim", ...ids)));
  expect(outcomes.map(({ ended, stderr }) => ({ ended, stderr }))).toEqual(
    outcomes.map(() => ({ ended: 0, stderr: "" })),
  );
  const claimed = outcomes.flatMap(({ stdout }) =>
    stdout
      .trim()
      .split("\n")
      .filter((id) => id !== ""),
  );
  expect(claimed.sort()).toEqual(ids);
  expect(ledger.names()).toEqual([]);
}, 60_000);

test("a claimant that is killed leaves an orphan again, for the next", async () => {
  openLease(makeLease(), ledger.deadRuntime());
  const killed = await runWorker(worker, [ledger.stateDir, "hold", ID], "claimed");
  expect(killed).toMatchObject({ ended: "SIGKILL", stdout: "claimed\n" });
  expect(ledger.names()).toEqual([`${ID}.json`, `${ID}.lock`]);
  const runtime = ledger.runtime({ sleep: (ms) => sleep(ms) });
  expect(listLeases(runtime)).toMatchObject([{ state: "orphaned", entry: { state: "ending" } }]);
  const claim = await claimLease(ID, runtime);
  if (claim.is === "claimed") await claim.lease.close();
  expect(ledger.names()).toEqual([]);
});

test("of processes that are killed in the middle of it, every lease can be told of, and ended", async () => {
  const runs = Array.from({ length: 4 }, () => work("live", "1000000"));
  const killed = new Set<number>();
  while (killed.size < runs.length) {
    const pids = listLeases(ledger.runtime()).flatMap((lease) => ("entry" in lease ? [lease.entry.owner.pid] : []));
    for (const pid of pids.filter((pid) => !killed.has(pid))) {
      process.kill(pid, "SIGKILL");
      killed.add(pid);
    }
    await sleep(5);
  }
  for (const { ended, stdout } of await Promise.all(runs)) {
    expect(ended).toBe("SIGKILL");
    // A neighbour was just killed: that is what is seen of it.
    expect(stdout.replaceAll("orphaned\n", "")).toBe("");
  }
  const later = ledger.runtime({ sleep: (ms) => sleep(ms), now: () => Date.now() + 660_000 });
  for (const { id, state } of listLeases(later)) {
    expect(state).toBe("orphaned");
    const claim = await claimLease(id, later);
    if (claim.is === "claimed") await claim.lease.close();
  }
  sweepFiles(later);
  expect(ledger.names()).toEqual([]);
}, 60_000);
