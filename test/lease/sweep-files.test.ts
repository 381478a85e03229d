import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentOwner } from "../../src/core/process-owner.js";
import {
  openLease,
  removePrivateDir,
  removeReceiptPlace,
  removeTornWrites,
  sweepFiles,
} from "../../src/lease/index.js";
import { thrownBy } from "../thrown.js";
import { ID, makeLease, makeScratchLedger, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
let outside: string;
beforeEach(() => {
  ledger = makeScratchLedger();
  outside = path.join(ledger.root, "outside");
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, "precious"), "");
  fs.mkdirSync(ledger.leasesDir, { recursive: true, mode: 0o700 });
});
afterEach(() => ledger.remove());

const GONE = "l-0000000000000009";
const TEN_MINUTES = 600_000;
const HEX = "0123456789abcdef";
const runDir = (id: string) => path.join(ledger.stateDir, "run", id);

function place(name: string, text: string): string {
  fs.writeFileSync(path.join(ledger.leasesDir, name), text);
  return `leases/${name}`;
}

const ownedBy = (owner: object) => `${JSON.stringify({ owner })}\n`;
const dead = () => ownedBy({ ...currentOwner(ledger.runtime()), startedAt: "1" });
const alive = () => ownedBy(currentOwner(ledger.runtime()));
const elsewhere = () => ownedBy({ ...currentOwner(ledger.runtime()), pidNamespace: "pid:[0]" });
const sweep = (ageMs = 0) => sweepFiles(ledger.runtime({ now: () => Date.now() + ageMs }));

describe("sweepFiles", () => {
  it("finds nothing where nothing ever was", () => {
    fs.rmSync(ledger.stateDir, { recursive: true });
    expect(sweep()).toEqual([]);
    expect(fs.existsSync(ledger.stateDir)).toBe(false);
  });

  const BESIDE = [
    `json.${HEX.slice(0, 12)}.tmp`,
    `revoke.${HEX.slice(0, 12)}.tmp`,
    "revoke",
    "lock",
    `lock.${HEX}${HEX}`,
    `lock.${HEX}${HEX}.new`,
    `lock.${HEX}${HEX}.${HEX}${HEX}.new`,
  ];
  const texts: readonly { name: string; text: () => string; ageMs: number; isRemoved: boolean }[] = [
    { name: "of a dead process", text: dead, ageMs: 0, isRemoved: true },
    { name: "of a living process", text: alive, ageMs: 10 * TEN_MINUTES, isRemoved: false },
    { name: "of another container", text: elsewhere, ageMs: 10 * TEN_MINUTES, isRemoved: false },
    { name: "torn a moment ago", text: () => dead().slice(0, -9), ageMs: TEN_MINUTES - 5_000, isRemoved: false },
    { name: "torn ten minutes ago", text: () => dead().slice(0, -9), ageMs: TEN_MINUTES + 1_000, isRemoved: true },
    { name: "empty for ten minutes", text: () => "", ageMs: TEN_MINUTES + 1_000, isRemoved: true },
  ];
  const cases = BESIDE.flatMap((suffix) => texts.map((each) => ({ ...each, suffix })));
  it.each(cases)("of a closed lease, .$suffix $name: $isRemoved", ({ suffix, text, ageMs, isRemoved }) => {
    const name = place(`${GONE}.${suffix}`, text());
    expect(sweep(ageMs)).toEqual(isRemoved ? [name] : []);
    expect(ledger.names()).toHaveLength(isRemoved ? 0 : 1);
  });

  it("leaves the mark and the lock of an open lease, and takes what was not written to its end", () => {
    openLease(makeLease(), ledger.runtime());
    const half = place(`${ID}.json.${HEX.slice(0, 12)}.tmp`, dead());
    place(`${ID}.revoke`, dead());
    place(`${ID}.lock`, dead());
    expect(sweep(10 * TEN_MINUTES)).toEqual([half]);
    expect(ledger.names()).toEqual([`${ID}.json`, `${ID}.lock`, `${ID}.revoke`]);
  });

  it.each([
    { name: "an entry that can't be read", file: `${GONE}.json` },
    { name: "a copy that somebody made", file: `${GONE}.json.bak` },
    { name: "a temporary file of another program", file: `${GONE}.json.zz.tmp` },
    { name: "a note", file: "README" },
    { name: "a lock of no lease", file: "all.lock" },
  ])("leaves $name", ({ file }) => {
    place(file, dead());
    expect(sweep(10 * TEN_MINUTES)).toEqual([]);
    expect(ledger.names()).toEqual([file]);
  });

  it("leaves links, and what is not a file", () => {
    fs.symlinkSync(path.join(outside, "precious"), ledger.file(GONE, "revoke"));
    fs.mkdirSync(ledger.file(GONE, "lock"));
    expect(sweep(10 * TEN_MINUTES)).toEqual([]);
    expect(fs.readdirSync(outside)).toEqual(["precious"]);
  });

  it("leaves what belongs to somebody else", () => {
    place(`${GONE}.revoke`, dead());
    fs.mkdirSync(runDir(GONE), { recursive: true });
    const stranger = ledger.runtime({ uid: 54321, now: () => Date.now() + 10 * TEN_MINUTES });
    expect(sweepFiles(stranger)).toEqual([]);
  });

  it("takes private directories without a lease, and none that has one", () => {
    openLease(makeLease(), ledger.runtime());
    for (const id of [ID, GONE, "notes"]) fs.mkdirSync(runDir(id), { recursive: true });
    fs.writeFileSync(path.join(runDir(GONE), "token"), "x");
    fs.symlinkSync(outside, path.join(runDir(GONE), "link"));
    expect(sweep()).toEqual([`run/${GONE}`]);
    expect(fs.readdirSync(path.join(ledger.stateDir, "run")).sort()).toEqual([ID, "notes"]);
    expect(fs.readdirSync(outside)).toEqual(["precious"]);
  });

  it("takes no directory of a lease that is opened meanwhile", () => {
    fs.mkdirSync(runDir(GONE), { recursive: true });
    const readdirSync = ((...args: [string]) => {
      const names = fs.readdirSync(...args);
      if (args[0].endsWith("run")) openLease(makeLease(ID), ledger.runtime());
      fs.mkdirSync(runDir(ID), { recursive: true });
      return names;
    }) as typeof fs.readdirSync;
    expect(sweepFiles(ledger.runtime({ fs: { ...fs, readdirSync } }))).toEqual([`run/${GONE}`]);
    expect(fs.existsSync(runDir(ID))).toBe(true);
  });

  it("takes no directory through a link, nor when it can't be told whether the lease is open", async () => {
    fs.mkdirSync(path.join(outside, GONE));
    fs.symlinkSync(outside, path.join(ledger.stateDir, "run"));
    expect(sweep()).toEqual([]);
    fs.rmSync(path.join(ledger.stateDir, "run"));
    fs.mkdirSync(runDir(GONE), { recursive: true });
    const fail = (): never => {
      throw Object.assign(new Error("EIO"), { code: "EIO" });
    };
    const lstatSync = ((file: string, options: fs.StatSyncOptions) =>
      file.endsWith(".json") ? fail() : fs.lstatSync(file, options)) as typeof fs.lstatSync;
    expect(sweepFiles(ledger.runtime({ fs: { ...fs, lstatSync } }))).toEqual([]);
    expect(fs.existsSync(runDir(GONE))).toBe(true);
    const unreadable = ledger.runtime({ fs: { ...fs, readdirSync: fail } });
    expect((await thrownBy(() => sweepFiles(unreadable))).code).toBe("STATE_UNWRITABLE");
  });

  it("names nothing that it could not remove", () => {
    place(`${GONE}.revoke`, dead());
    fs.mkdirSync(runDir(GONE), { recursive: true });
    const rmSync = (): never => {
      throw Object.assign(new Error("EROFS"), { code: "EROFS" });
    };
    expect(sweepFiles(ledger.runtime({ fs: { ...fs, rmSync } }))).toEqual([]);
  });
});

describe("removePrivateDir", () => {
  it("removes the lease's own, whatever is in it, and is content when there is none", () => {
    fs.mkdirSync(path.join(runDir(ID), "aws"), { recursive: true });
    fs.symlinkSync(outside, path.join(runDir(ID), "link"));
    expect(removePrivateDir({ id: ID }, ledger.runtime())).toBe(true);
    expect(removePrivateDir({ id: ID }, ledger.runtime())).toBe(true);
    expect(fs.existsSync(runDir(ID))).toBe(false);
    expect(fs.readdirSync(outside)).toEqual(["precious"]);
  });

  it("says so when something is still there", () => {
    fs.mkdirSync(path.join(ledger.stateDir, "run"));
    fs.symlinkSync(outside, runDir(ID));
    expect(removePrivateDir({ id: ID }, ledger.runtime())).toBe(false);
    expect(fs.readdirSync(outside)).toEqual(["precious"]);
  });
});

describe("removeReceiptPlace", () => {
  const receiptAt = (name: string, directory = outside) => ({
    receipt: { file: path.join(outside, "lease.json"), temporary: path.join(directory, name) },
  });
  const NAME = ".lease.json.0123456789ab.tmp";

  it("removes the file that held the place", () => {
    const entry = receiptAt(NAME);
    fs.writeFileSync(entry.receipt.temporary, "");
    expect(removeReceiptPlace(entry, ledger.runtime())).toBe(true);
    expect(fs.readdirSync(outside)).toEqual(["precious"]);
  });

  it("is content when there is none, or no receipt was asked for", () => {
    expect(removeReceiptPlace(receiptAt(NAME), ledger.runtime())).toBe(true);
    expect(removeReceiptPlace({}, ledger.runtime())).toBe(true);
  });

  const refused: readonly { name: string; entry: () => ReturnType<typeof receiptAt>; make: (place: string) => void }[] =
    [
      { name: "under another name", entry: () => receiptAt("precious"), make: () => {} },
      { name: "of another receipt", entry: () => receiptAt(".other.json.0123456789ab.tmp"), make: write },
      { name: "in another directory", entry: () => receiptAt(NAME, ledger.root), make: write },
      { name: "that is a link", entry: () => receiptAt(NAME), make: (file) => fs.symlinkSync("precious", file) },
      { name: "that is a directory", entry: () => receiptAt(NAME), make: (file) => fs.mkdirSync(file) },
    ];
  it.each(refused)("leaves what stands $name", ({ entry, make }) => {
    const { receipt } = entry();
    make(receipt.temporary);
    expect(removeReceiptPlace({ receipt }, ledger.runtime())).toBe(false);
    expect(fs.lstatSync(receipt.temporary)).toBeDefined();
  });

  it("leaves what belongs to somebody else", () => {
    const entry = receiptAt(NAME);
    write(entry.receipt.temporary);
    expect(removeReceiptPlace(entry, ledger.runtime({ uid: 54321 }))).toBe(false);
  });

  function write(file: string): void {
    fs.writeFileSync(file, "");
  }
});

describe("removeTornWrites", () => {
  it("removes what the lease's own writes left, and nothing of another lease", () => {
    const names = [`${ID}.json.0123456789ab.tmp`, `${ID}.json`, `${GONE}.json.0123456789ab.tmp`];
    for (const name of names) place(name, "{");
    removeTornWrites({ id: ID }, ledger.runtime());
    expect(fs.readdirSync(ledger.leasesDir).sort()).toEqual(names.slice(1).sort());
  });
});
