import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ending } from "../../src/core/lease.js";
import { currentOwner } from "../../src/core/process-owner.js";
import {
  type ClaimedLease,
  type ClaimRules,
  claimLease,
  openLease,
  waitUntilOwnerDead,
} from "../../src/lease/index.js";
import { thrownBy } from "../thrown.js";
import { ID, makeGrant, makeLease, makeScratchLedger, NOBODY, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
});
afterEach(() => ledger.remove());

const read = () => JSON.parse(fs.readFileSync(ledger.file(), "utf8"));
const openOrphan = () => openLease(makeLease(), ledger.deadRuntime());
const moveTo = (owner: Readonly<Record<string, string>>) =>
  ledger.edit(ID, (entry) => Object.assign(entry["owner"] as object, owner));

async function claim(rules?: ClaimRules): Promise<ClaimedLease> {
  const claimed = await claimLease(ID, ledger.runtime(), rules);
  if (claimed.is !== "claimed") throw new Error(`it is ${claimed.is}`);
  return claimed.lease;
}

describe("claimLease", () => {
  it("makes an orphan this process's own, to be ended", async () => {
    openOrphan().update({
      state: "running",
      grants: [makeGrant()],
      child: { pid: 9, startedAt: "1", leadsGroup: true },
    });
    const lease = await claim();
    expect(read()).toMatchObject({ state: "ending", owner: currentOwner(ledger.runtime()) });
    expect(lease.entry).toEqual(read());
    expect(lease.previousOwner.pid).toBe(NOBODY);
    await lease.release();
  });

  it("is somebody's alone until it is released, and can be claimed again then by the next", async () => {
    openOrphan();
    const lease = await claim();
    expect(ledger.names()).toEqual([`${ID}.json`, `${ID}.lock`]);
    expect((await claimLease(ID, ledger.runtime())).is).toBe("running");
    expect((await claimLease(ID, ledger.runtime(), { force: true })).is).toBe("busy");
    await lease.release();
    await lease.release();
    expect(ledger.names()).toEqual([`${ID}.json`]);
    expect((await claimLease(ID, ledger.runtime(), { force: true })).is).toBe("claimed");
  });

  it("is its agentctl's again when it is released unfinished, with its command and what was tried", async () => {
    const child = { pid: 9, startedAt: "1", leadsGroup: true };
    openOrphan().update({ state: "running", grants: [makeGrant()], child });
    moveTo({ bootId: "another" });
    const { owner } = read();
    const ending: Ending = {
      cloud: "aws",
      word: "failed",
      at: "2026-01-31T09:10:00Z",
      detail: "d",
      isUnfinished: true,
    };
    const lease = await claim();
    lease.update({ endings: [ending] });
    await lease.release();
    expect(read()).toMatchObject({ owner, child, grants: [{ ending }] });
  });

  it("stays gone when it is released after it was closed", async () => {
    openOrphan();
    const lease = await claim();
    await lease.close();
    await lease.release();
    expect(ledger.names()).toEqual([]);
  });

  it("keeps what was ended, and is gone when it is closed, with its mark and its lock", async () => {
    openOrphan().update({ grants: [makeGrant()] });
    const ending: Ending = {
      cloud: "aws",
      word: "failed",
      at: "2026-01-31T09:10:00Z",
      detail: "d",
      isUnfinished: true,
    };
    const lease = await claim();
    lease.update({ endings: [ending] });
    expect(lease.entry.grants).toMatchObject([{ issuedAt: makeGrant().issuedAt, ending }]);
    expect(read()).toEqual(lease.entry);
    fs.writeFileSync(ledger.file(ID, "revoke"), "{}");
    await lease.close();
    expect(ledger.names()).toEqual([]);
  });

  const alive = () => openLease(makeLease(), ledger.runtime());
  const cases: readonly { name: string; prepare: () => unknown; want: object }[] = [
    { name: "nothing", prepare: () => {}, want: { is: "gone" } },
    { name: "a lease whose agentctl is alive", prepare: alive, want: { is: "running", entry: { id: ID } } },
    {
      name: "a lease of another container",
      prepare: () => [alive(), moveTo({ pidNamespace: "pid:[0]" })],
      want: { is: "unknown", entry: { id: ID } },
    },
    {
      name: "what can't be read",
      prepare: () => [alive(), fs.writeFileSync(ledger.file(), "garbage")],
      want: { is: "unreadable", problem: "it is not a ledger entry" },
    },
  ];
  it.each(cases)("does not take $name, and leaves no lock", async ({ prepare, want }) => {
    prepare();
    const before = fs.existsSync(ledger.leasesDir) ? ledger.names() : undefined;
    expect(await claimLease(ID, ledger.runtime())).toMatchObject(want);
    expect(fs.existsSync(ledger.leasesDir) ? ledger.names() : undefined).toEqual(before);
  });

  it.each([
    { name: "alive", prepare: () => {} },
    { name: "elsewhere", prepare: () => moveTo({ pidNamespace: "pid:[0]" }) },
  ])("takes a lease by force whose agentctl is $name", async ({ prepare }) => {
    alive();
    prepare();
    expect((await claimLease(ID, ledger.runtime(), { force: true })).is).toBe("claimed");
  });

  it.each([
    { name: "this boot and container", owner: {}, isFromHere: true, keepsChild: true },
    { name: "an earlier boot", owner: { bootId: "another" }, isFromHere: false, keepsChild: false },
    { name: "another container", owner: { pidNamespace: "pid:[0]" }, isFromHere: false, keepsChild: false },
  ])("takes a pid of $name for what it is", async ({ owner, isFromHere, keepsChild }) => {
    openOrphan().update({ child: { pid: 9, startedAt: "1", leadsGroup: false } });
    moveTo(owner);
    const lease = await claim({ force: true });
    expect(lease.isFromHere).toBe(isFromHere);
    expect("child" in lease.entry).toBe(keepsChild);
    expect("child" in read()).toBe(keepsChild);
  });

  it.each([
    { name: "dead", prepare: openOrphan, was: "dead" },
    { name: "alive", prepare: alive, was: "alive" },
    { name: "elsewhere", prepare: () => [alive(), moveTo({ pidNamespace: "pid:[0]" })], was: "unknown" },
  ])("knows that its agentctl was $name", async ({ prepare, was }) => {
    prepare();
    const lease = await claim({ force: true });
    expect(lease.previousOwnerWas).toBe(was);
    await lease.release();
  });

  it("gives a lease back to its agentctl, with what was ended, the mark and its command", async () => {
    const child = { pid: 9, startedAt: "1", leadsGroup: true };
    alive().update({ state: "running", grants: [makeGrant()], child });
    const owner = read().owner;
    moveTo({ pidNamespace: "pid:[0]" });
    fs.writeFileSync(ledger.file(ID, "revoke"), "{}");
    const ending: Ending = { cloud: "aws", word: "removed", at: "2026-01-31T09:10:00Z", detail: "d" };
    const lease = await claim({ force: true });
    await lease.handBack({ state: "ended", endings: [ending] });
    expect(read()).toMatchObject({ state: "ended", child, grants: [{ ending }] });
    expect(read().owner).toEqual({ ...owner, pidNamespace: "pid:[0]" });
    expect(ledger.names()).toEqual([`${ID}.json`, `${ID}.revoke`]);
  });

  it("breaks the lock of a claimant that was killed", async () => {
    openOrphan();
    const dead = { ...currentOwner(ledger.runtime()), startedAt: "1" };
    fs.writeFileSync(ledger.file(ID, "lock"), `${JSON.stringify({ owner: dead, nonce: "n" })}\n`);
    await (await claim()).close();
    expect(ledger.names()).toEqual([]);
  });

  it("looks again once it has the lock: another may have closed it", async () => {
    openOrphan();
    const linkSync: typeof fs.linkSync = (from, to) => {
      fs.rmSync(ledger.file(), { force: true });
      fs.linkSync(from, to);
    };
    expect(await claimLease(ID, ledger.runtime({ fs: { ...fs, linkSync } }))).toEqual({ is: "gone" });
    expect(ledger.names()).toEqual([]);
  });

  it("lets go when it can't be written", async () => {
    openOrphan();
    const renameSync = (): never => {
      throw Object.assign(new Error("EROFS"), { code: "EROFS" });
    };
    const broken = ledger.runtime({ fs: { ...fs, renameSync } });
    expect((await thrownBy(() => claimLease(ID, broken))).code).toBe("STATE_UNWRITABLE");
    expect(ledger.names()).toEqual([`${ID}.json`]);
    expect(read().owner.pid).toBe(NOBODY);
  });

  it("lets go when it can't be closed", async () => {
    openOrphan();
    let isBroken = false;
    const rmSync: typeof fs.rmSync = (place, options) => {
      if (isBroken && place === ledger.file()) throw Object.assign(new Error("EROFS"), { code: "EROFS" });
      fs.rmSync(place, options);
    };
    const claimed = await claimLease(ID, ledger.runtime({ fs: { ...fs, rmSync } }));
    isBroken = true;
    expect((await thrownBy(() => claimed.is === "claimed" && claimed.lease.close())).code).toBe("STATE_UNWRITABLE");
    expect(ledger.names()).toEqual([`${ID}.json`]);
  });
});

describe("waitUntilOwnerDead", () => {
  it.each([
    { name: "it is dead", prepare: () => openOrphan() },
    { name: "the lease is closed", prepare: () => openOrphan().close() },
  ])("waits for nothing when $name", async ({ prepare }) => {
    prepare();
    const sleep = () => Promise.reject(new Error("it slept"));
    expect(await waitUntilOwnerDead(ID, ledger.runtime({ sleep }), 1000)).toBe(true);
  });

  it("waits until it is", async () => {
    openLease(makeLease(), ledger.runtime());
    let looks = 0;
    const sleep = async () => {
      looks += 1;
      if (looks === 3) moveTo({ startedAt: "1" });
    };
    expect(await waitUntilOwnerDead(ID, ledger.runtime({ sleep }), 1000)).toBe(true);
    expect(looks).toBe(3);
  });

  it("does not wait for ever", async () => {
    openLease(makeLease(), ledger.runtime());
    let sleptMs = 0;
    const sleep = async (ms: number) => {
      sleptMs += ms;
    };
    expect(await waitUntilOwnerDead(ID, ledger.runtime({ sleep }), 1000)).toBe(false);
    expect(sleptMs).toBe(1000);
  });
});
