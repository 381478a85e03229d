import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Ending } from "../../src/core/lease.js";
import { currentOwner } from "../../src/core/process-owner.js";
import { newLeaseId, openLease } from "../../src/lease/index.js";
import { thrownBy } from "../thrown.js";
import { DEADLINE, ID, makeGrant, makeLease, makeScratchLedger, OPENED, type ScratchLedger } from "./scratch-ledger.js";

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
});
afterEach(() => ledger.remove());

const read = () => JSON.parse(fs.readFileSync(ledger.file(), "utf8"));
const fail = (code: string) => (): never => {
  throw Object.assign(new Error(code), { code });
};

describe("openLease", () => {
  it("stands in the ledger before it returns, for this user only, with no secret and no argument", () => {
    const runtime = ledger.runtime();
    const receipt = { file: "/project/lease.json", temporary: "/project/.lease.json.0123456789ab.tmp" };
    const lease = openLease(makeLease(ID, { receipt }), runtime);
    expect(lease).toMatchObject({ id: ID, file: ledger.file() });
    expect(fs.statSync(ledger.file()).mode & 0o777).toBe(0o600);
    expect(read()).toEqual({
      version: 2,
      id: ID,
      profile: "deploy",
      state: "issuing",
      owner: currentOwner(runtime),
      openedAt: OPENED,
      deadlineAt: DEADLINE,
      actor: "automation",
      identity: { source: "github-actions", issuer: "https://issuer.example", subject: "repo:acme/site" },
      command: "terraform",
      graceSeconds: 30,
      privateDir: path.join(ledger.stateDir, "run", ID),
      receipt,
      grants: [
        { cloud: "aws", channel: "env", principal: "arn:aws:iam::1:role/r", undo: { role: "arn:aws:iam::1:role/r" } },
      ],
    });
  });

  it("is on the disk under its name only once it is whole there, and its name too", () => {
    const calls: string[] = [];
    const note = <T extends (...args: never[]) => unknown>(name: string, call: T): T =>
      ((...args: never[]) => {
        calls.push(name);
        return call(...args);
      }) as T;
    const noted = {
      writeFileSync: note("write", fs.writeFileSync),
      fsyncSync: note("sync", fs.fsyncSync),
      renameSync: note("rename", fs.renameSync),
    };
    openLease(makeLease(), ledger.runtime({ fs: { ...fs, ...noted } }));
    expect(calls).toEqual(["write", "sync", "rename", "sync"]);
  });

  it("says so when the disk is full, and leaves nothing", async () => {
    const full = ledger.runtime({ fs: { ...fs, writeFileSync: fail("ENOSPC") } });
    const error = await thrownBy(() => openLease(makeLease(), full));
    expect(error).toMatchObject({ code: "STATE_UNWRITABLE", exitCode: 74 });
    expect(ledger.names()).toEqual([]);
  });

  it("opens nothing through a link, and nothing in somebody else's directory", async () => {
    fs.mkdirSync(path.join(ledger.root, "elsewhere"));
    fs.mkdirSync(ledger.stateDir);
    fs.symlinkSync(path.join(ledger.root, "elsewhere"), ledger.leasesDir);
    expect((await thrownBy(() => openLease(makeLease(), ledger.runtime()))).code).toBe("STATE_UNWRITABLE");
    expect(fs.readdirSync(path.join(ledger.root, "elsewhere"))).toEqual([]);
    fs.rmSync(ledger.leasesDir);
    const stranger = ledger.runtime({ uid: 54321 });
    expect((await thrownBy(() => openLease(makeLease(), stranger))).code).toBe("STATE_UNWRITABLE");
  });
});

describe("an open lease", () => {
  it("is updated with what was issued, without the secrets of it", () => {
    const lease = openLease(makeLease(), ledger.runtime());
    lease.update({ state: "running", grants: [makeGrant()], child: { pid: 7, startedAt: "99", leadsGroup: true } });
    lease.update({ state: "ending" });
    expect(fs.readFileSync(ledger.file(), "utf8")).not.toContain("canary");
    expect(read()).toMatchObject({
      state: "ending",
      child: { pid: 7, startedAt: "99", leadsGroup: true },
      grants: [
        {
          cloud: "aws",
          principal: "arn:aws:sts::1:assumed-role/r/s",
          undo: { role: "arn:aws:iam::1:role/r" },
          issuedAt: OPENED + 1000,
          usableUntil: DEADLINE - 1000,
          expiresAt: DEADLINE + 1000,
        },
      ],
    });
  });

  it("counts a grant as renewed when another one was issued, and only then", () => {
    const lease = openLease(makeLease(), ledger.runtime());
    const renewed = makeGrant({ issuedAt: OPENED + 600_000 });
    const counts = [makeGrant(), makeGrant(), renewed, renewed, makeGrant({ issuedAt: OPENED + 900_000 })].map(
      (grant) => {
        lease.update({ grants: [grant] });
        return read().grants[0].renewed;
      },
    );
    expect(counts).toEqual([undefined, undefined, 1, 1, 2]);
  });

  it("takes grants and endings by their cloud, and leaves the others as they are", () => {
    const plan = { channel: "endpoint", principal: "p", undo: {}, facts: {} } as const;
    const plans = [
      { ...plan, cloud: "aws" },
      { ...plan, cloud: "gcp" },
    ] as const;
    const lease = openLease(makeLease(ID, { plans }), ledger.runtime());
    const ending: Ending = { cloud: "gcp", word: "removed", at: "2026-01-31T09:10:00Z", detail: "d" };
    lease.update({ grants: [makeGrant()], endings: [ending] });
    expect(read().grants).toMatchObject([
      { cloud: "aws", issuedAt: OPENED + 1000 },
      { cloud: "gcp", ending },
    ]);
    expect(read().grants[0]).not.toHaveProperty("ending");
    expect(read().grants[1]).not.toHaveProperty("issuedAt");
  });

  it("holds the rights that a principal is given for it, from before they are given, and no other fact", () => {
    const plan = { channel: "env", principal: "p", undo: { granter: "g" } } as const;
    const facts = { bindings: ["Viewer on r", "Editor on s"], entitlement: "e", canary: "canary-fact" };
    const plans = [
      { ...plan, cloud: "gcp", facts },
      { ...plan, cloud: "azure", facts: { assignments: ["Reader on /s"] } },
      { ...plan, cloud: "aws", facts: { packedSize: 3 } },
    ] as const;
    openLease(makeLease(ID, { plans }), ledger.runtime()).update({ state: "running" });
    expect(read().grants).toEqual([
      { ...plan, cloud: "gcp", rights: ["Viewer on r", "Editor on s", "e"] },
      { ...plan, cloud: "azure", rights: ["Reader on /s"] },
      { ...plan, cloud: "aws" },
    ]);
  });

  it("has its deadline moved when its time begins, and by nothing else", () => {
    const lease = openLease(makeLease(), ledger.runtime());
    lease.update({ state: "issuing" });
    expect(read()).toMatchObject({ openedAt: OPENED, deadlineAt: DEADLINE });
    lease.update({ deadlineAt: DEADLINE + 60_000 });
    lease.update({ state: "running" });
    expect(read()).toMatchObject({ openedAt: OPENED, deadlineAt: DEADLINE + 60_000 });
  });

  it("forgets what will not be issued any more, and nothing else", () => {
    const plan = { channel: "env", principal: "p", undo: {}, facts: {} } as const;
    const plans = (["aws", "azure", "gcp"] as const).map((cloud) => ({ ...plan, cloud }));
    const lease = openLease(makeLease(ID, { plans }), ledger.runtime());
    lease.update({ state: "ending", grants: [makeGrant()], without: ["azure"] });
    lease.update({ endings: [{ cloud: "azure", word: "expires", at: "2026-01-31T09:10:00Z", detail: "d" }] });
    expect(read()).toMatchObject({
      state: "ending",
      grants: [{ cloud: "aws", issuedAt: OPENED + 1000 }, { cloud: "gcp" }],
    });
    expect(read().grants).toHaveLength(2);
  });

  it("stays as it was when an update can't be written, and can be updated again", async () => {
    let isFull = false;
    const writeFileSync: typeof fs.writeFileSync = (...args) => (isFull ? fail("ENOSPC")() : fs.writeFileSync(...args));
    const lease = openLease(makeLease(), ledger.runtime({ fs: { ...fs, writeFileSync } }));
    isFull = true;
    expect((await thrownBy(() => lease.update({ state: "running" }))).code).toBe("STATE_UNWRITABLE");
    expect(ledger.names()).toEqual([`${ID}.json`]);
    isFull = false;
    lease.update({ grants: [makeGrant()] });
    expect(read()).toMatchObject({ state: "issuing", grants: [{ issuedAt: OPENED + 1000 }] });
  });

  it("is gone when it is closed, with the mark that asked for it, and may be closed twice", () => {
    const lease = openLease(makeLease(), ledger.runtime());
    fs.writeFileSync(ledger.file(ID, "revoke"), "{}");
    lease.close();
    lease.close();
    expect(ledger.names()).toEqual([]);
  });

  it("says so when its entry can't be removed", async () => {
    const lease = openLease(makeLease(), ledger.runtime({ fs: { ...fs, rmSync: fail("EROFS") } }));
    expect((await thrownBy(() => lease.close())).code).toBe("STATE_UNWRITABLE");
  });
});

describe("newLeaseId", () => {
  it("is l- and 16 characters of Crockford's base 32, another each time", () => {
    const ids = Array.from({ length: 1000 }, () => newLeaseId());
    for (const id of ids) expect(id).toMatch(/^l-[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(new Set(ids).size).toBe(1000);
  });

  it("takes five bits of each random byte", () => {
    expect(newLeaseId(() => Uint8Array.from({ length: 16 }, (_, index) => index * 17))).toBe("l-0H2K4N6Q8SAVCXEZ");
  });
});
