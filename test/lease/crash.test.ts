import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ending } from "../../src/core/lease.js";
import {
  type ClaimedLease,
  claimLease,
  listLeases,
  type OpenLease,
  openLease,
  requestRevocation,
  sweepFiles,
} from "../../src/lease/index.js";
import type { FakeRuntime } from "../fake-runtime.js";
import { type CrashingFs, makeCrashingFs } from "./crashing-fs.js";
import { ID, makeGrant, makeLease, makeScratchLedger, NOBODY, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
let crashing: CrashingFs;
/** Dies at any step, and is dead for whoever looks. */
let mortal: FakeRuntime;
/** Comes eleven minutes later. */
let finder: FakeRuntime;
beforeEach(() => {
  ledger = makeScratchLedger();
  crashing = makeCrashingFs();
  mortal = ledger.deadRuntime({ fs: crashing.fs });
  const now = () => Date.now() + 660_000;
  finder = ledger.runtime({ now, fs: { ...fs, fsyncSync: () => {} } });
});
afterEach(() => ledger.remove());

type Files = Readonly<Record<string, string>>;

function readFiles(): Files {
  if (!fs.existsSync(ledger.leasesDir)) return {};
  return Object.fromEntries(
    ledger.names().map((name) => [name, fs.readFileSync(path.join(ledger.leasesDir, name), "utf8")]),
  );
}

function restore(files: Files): void {
  const found = readFiles();
  for (const name of Object.keys(found)) if (!(name in files)) fs.rmSync(path.join(ledger.leasesDir, name));
  for (const [name, text] of Object.entries(files)) {
    if (found[name] !== text) fs.writeFileSync(path.join(ledger.leasesDir, name), text);
  }
}

/** One step of a life: `prepare` lives through, what it answers is done and killed. */
type Deed = () => Promise<() => unknown>;

/**
 * Kills a process at each step of a deed, each time from the same beginning, and lets somebody else find and finish what
 * is left. Answers at how many; leaves the files as they are when it is not killed.
 */
async function killAtEachStep(prepare: Deed): Promise<number> {
  const start = readFiles();
  const live = async (steps?: number): Promise<Files> => {
    restore(start);
    crashing.arm();
    const deed = await prepare();
    const before = readFiles();
    crashing.arm(steps);
    await Promise.resolve(undefined)
      .then(deed)
      .catch((error: unknown) => {
        if (steps === undefined) throw error;
      });
    return before;
  };
  const before = await live();
  const after = readFiles();
  const total = crashing.taken();
  const [wrong, finished]: [string[], Set<string>] = [[], new Set()];
  for (let steps = 0; steps < total; steps += 1) {
    await live(steps);
    const problem = await findProblem([before[`${ID}.json`], after[`${ID}.json`]], finished);
    if (problem !== undefined) wrong.push(`killed after ${steps} of ${total} steps: ${problem}`);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  restore(after);
  crashing.arm();
  return total;
}

/** What somebody is shown who looks, and can't clear away. What is left by one byte more is not finished a second time. */
async function findProblem(
  wanted: readonly (string | undefined)[],
  finished: Set<string>,
): Promise<string | undefined> {
  const files = readFiles();
  const found = files[`${ID}.json`];
  if (!wanted.includes(found)) return `the entry is ${found ?? "not there"}`;
  const states = listLeases(finder).map(({ state }) => state);
  if (states.join() !== (found === undefined ? "" : "orphaned")) return `it is listed as ${states}`;
  const kind = `${Object.keys(files).map((name) => name.replace(/[0-9a-f]{12,}/g, "*"))} ${found}`;
  const isNew = !finished.has(kind);
  finished.add(kind);
  if (isNew && found !== undefined) {
    const claim = await claimLease(ID, finder);
    if (claim.is !== "claimed") return `it can't be claimed: ${claim.is}`;
    await claim.lease.close();
  }
  sweepFiles(finder);
  const left = ledger.names().filter((name) => isNew || name.endsWith(".tmp"));
  return left.length === 0 ? undefined : `left: ${left}`;
}

const GRANTS = [makeGrant()];
const RENEWED = [makeGrant({ issuedAt: makeGrant().issuedAt + 600_000 })];
const ENDING: Ending = {
  cloud: "aws",
  word: "revoked",
  at: "2026-01-31T09:10:00Z",
  detail: "d",
  steps: [{ at: "2026-01-31T09:09:59.000Z", text: "wrote a deny: é" }],
};

describe("a process that is killed at any byte leaves the entry of before or of after, and nothing that stays", () => {
  it("while it opens a lease, lives with it and closes it", async () => {
    expect(await killAtEachStep(async () => () => openLease(makeLease(), mortal))).toBeGreaterThan(500);
    restore({});
    const lease: OpenLease = openLease(makeLease(), mortal);
    const changes = [
      { grants: GRANTS },
      { state: "running", child: { pid: NOBODY, startedAt: "1", leadsGroup: true } },
      { grants: RENEWED },
      { state: "ended", endings: [ENDING] },
    ] as const;
    for (const change of changes) {
      const before = readFiles();
      expect(await killAtEachStep(async () => () => lease.update(change))).toBeGreaterThan(500);
      expect(readFiles()).not.toEqual(before);
    }
    expect(await killAtEachStep(async () => () => lease.close())).toBeGreaterThan(2);
    expect(readFiles()).toEqual({});
  }, 120_000);

  it("while it claims the lease of another, and ends it", async () => {
    openLease(makeLease(), ledger.deadRuntime()).update({ state: "running", grants: GRANTS });
    const claim = async (): Promise<ClaimedLease> => {
      const claimed = await claimLease(ID, mortal);
      if (claimed.is !== "claimed") throw new Error(claimed.is);
      return claimed.lease;
    };
    const start = readFiles();
    expect(await killAtEachStep(async () => claim)).toBeGreaterThan(500);
    const killIn = async (deed: (lease: ClaimedLease) => unknown): Promise<void> => {
      restore(start);
      await killAtEachStep(async () => {
        const lease = await claim();
        return () => deed(lease);
      });
    };
    await killIn((lease) => lease.update({ endings: [ENDING] }));
    await killIn((lease) => lease.release());
    await killIn((lease) => lease.close());
  }, 120_000);

  it("while it asks for the end of a lease", async () => {
    openLease(makeLease(), ledger.deadRuntime());
    await killAtEachStep(async () => () => requestRevocation(ID, mortal));
    expect(ledger.names()).toEqual([`${ID}.json`, `${ID}.revoke`]);
  }, 120_000);
});
