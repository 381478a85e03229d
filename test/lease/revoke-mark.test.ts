import * as fs from "node:fs";
import os from "node:os";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type OpenLease, openLease, type RevokeRequest, requestRevocation } from "../../src/lease/index.js";
import { ID, makeLease, makeScratchLedger, OPENED, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
let lease: OpenLease;
let heard: RevokeRequest[];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  ledger = makeScratchLedger();
  lease = openLease(makeLease(), ledger.runtime());
  heard = [];
});
afterEach(() => {
  vi.useRealTimers();
  ledger.remove();
});

const mark = () => ledger.file(ID, "revoke");
const WANTED = { at: OPENED + 60_000, pid: process.pid, user: os.userInfo().username };

describe("a revocation", () => {
  it("is heard once by the process that holds the lease, within half a second", () => {
    lease.onRevoked((request) => heard.push(request));
    vi.advanceTimersByTime(5_000);
    expect(heard).toEqual([]);
    expect(requestRevocation(ID, ledger.runtime())).toBe(true);
    expect(fs.statSync(mark()).mode & 0o777).toBe(0o600);
    vi.advanceTimersByTime(500);
    expect(heard).toEqual([WANTED]);
    requestRevocation(ID, ledger.runtime());
    vi.advanceTimersByTime(5_000);
    expect(heard).toHaveLength(1);
  });

  it("is not heard any more once nobody listens", () => {
    const stop = lease.onRevoked((request) => heard.push(request));
    requestRevocation(ID, ledger.runtime());
    stop();
    vi.advanceTimersByTime(5_000);
    expect(heard).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    { name: "is empty", make: () => fs.writeFileSync(mark(), "") },
    { name: "says something else", make: () => fs.writeFileSync(mark(), '{"at":"now"}') },
    { name: "is a link", make: () => fs.symlinkSync("/dev/null", mark()) },
  ])("counts also when the mark $name", ({ make }) => {
    lease.onRevoked((request) => heard.push(request));
    make();
    vi.advanceTimersByTime(500);
    expect(heard).toEqual([{ at: Math.floor(fs.lstatSync(mark()).mtimeMs), pid: 0 }]);
  });

  it("is not heard through a disk that can't be looked at", () => {
    const lstatSync = (): never => {
      throw Object.assign(new Error("EIO"), { code: "EIO" });
    };
    const runtime = ledger.runtime();
    const blind = openLease(makeLease("l-0000000000000003"), runtime);
    Object.assign(runtime, { fs: { ...fs, lstatSync } });
    blind.onRevoked((request) => heard.push(request));
    vi.advanceTimersByTime(5_000);
    expect(heard).toEqual([]);
  });
});

describe("requestRevocation", () => {
  it("leaves nothing for a lease that is closed", () => {
    lease.close();
    expect(requestRevocation(ID, ledger.runtime())).toBe(false);
    expect(ledger.names()).toEqual([]);
  });

  it("leaves nothing for a lease that is closed at this moment", () => {
    const renameSync: typeof fs.renameSync = (from, to) => {
      lease.close();
      fs.renameSync(from, to);
    };
    expect(requestRevocation(ID, ledger.runtime({ fs: { ...fs, renameSync } }))).toBe(false);
    expect(ledger.names()).toEqual([]);
  });
});
