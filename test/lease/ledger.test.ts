import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { registerLease } from "../../src/cli/lease.js";
import type { Grant, LeaseTerms } from "../../src/core/lease.js";
import { currentOwner } from "../../src/core/process-owner.js";
import type { Runtime } from "../../src/core/runtime.js";
import { Secret } from "../../src/core/secret.js";
import { listLeases, newLeaseId, openLease } from "../../src/lease/index.js";
import { runCommand } from "../cli/run-command.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";

const OPENED = Date.UTC(2026, 0, 31, 9);
const DEADLINE = OPENED + 1_800_000;

let root: string;
let stateDir: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-lease-"));
  stateDir = path.join(root, "state");
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function makeRuntime(overrides: Partial<Runtime> = {}): FakeRuntime {
  return fakeRuntime({ env: { AGENTCTL_STATE_DIR: stateDir }, now: () => OPENED + 60_000, ...overrides });
}

function newLease(leaseId = "l-0000000000000001", openedAt = OPENED) {
  const terms: LeaseTerms = {
    leaseId,
    profileName: "deploy",
    openedAt,
    deadlineAt: DEADLINE,
    ttlSeconds: 1800,
    deliver: "auto",
  };
  const plans = [{ cloud: "aws", principal: "arn:aws:iam::1:role/r" }] as const;
  return {
    terms,
    plans,
    actor: { kind: "automation" },
    command: { argv: ["terraform", "apply", "-var=pw=hunter2"] },
  } as const;
}

const GRANT: Grant = {
  cloud: "aws",
  channel: "env",
  secrets: {},
  principal: "arn:aws:sts::1:assumed-role/r/s",
  issuedAt: OPENED,
  usableUntil: DEADLINE - 1000,
  expiresAt: DEADLINE + 1000,
  variables: { AWS_SECRET_ACCESS_KEY: new Secret("canary"), AWS_ACCESS_KEY_ID: "canary-id" },
  facts: { canary: "canary-fact" },
};

const entryFile = (id = "l-0000000000000001"): string => path.join(stateDir, "leases", `${id}.json`);

/** Rewrites an entry as that of a process that is dead. */
function orphan(file = entryFile()): void {
  const entry = JSON.parse(fs.readFileSync(file, "utf8"));
  fs.writeFileSync(file, JSON.stringify({ ...entry, owner: { ...entry.owner, startedAt: "1" } }));
}

describe("openLease", () => {
  it("stands in the ledger before it returns, synced, for this user only, with no secret and no argument", () => {
    const synced: number[] = [];
    const fsyncSync: typeof fs.fsyncSync = (fd) => {
      synced.push(fd);
      fs.fsyncSync(fd);
    };
    const runtime = makeRuntime({ fs: { ...fs, fsyncSync } });
    openLease(newLease(), runtime);
    expect(synced).toHaveLength(2);
    expect(fs.statSync(entryFile()).mode & 0o777).toBe(0o600);
    expect(JSON.parse(fs.readFileSync(entryFile(), "utf8"))).toEqual({
      version: 1,
      id: "l-0000000000000001",
      profile: "deploy",
      state: "issuing",
      owner: currentOwner(runtime),
      openedAt: OPENED,
      deadlineAt: DEADLINE,
      actor: "automation",
      command: "terraform",
      privateDir: path.join(stateDir, "run", "l-0000000000000001"),
      grants: [{ cloud: "aws", principal: "arn:aws:iam::1:role/r" }],
    });
  });

  it("is updated with what was issued, without the secrets of it", () => {
    const lease = openLease(newLease(), makeRuntime());
    lease.update({ state: "running", grants: [GRANT] });
    lease.update({ state: "ending" });
    const text = fs.readFileSync(entryFile(), "utf8");
    expect(text).not.toContain("canary");
    expect(JSON.parse(text)).toMatchObject({
      state: "ending",
      grants: [{ cloud: "aws", usableUntil: DEADLINE - 1000 }],
    });
  });

  it("is gone when it is closed, and may be closed twice", () => {
    const lease = openLease(newLease(), makeRuntime());
    lease.close();
    lease.close();
    expect(fs.readdirSync(path.dirname(entryFile()))).toEqual([]);
  });

  it("says so when the disk is full, and leaves nothing", async () => {
    const writeFileSync = (): never => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    const error = await thrownBy(() => openLease(newLease(), makeRuntime({ fs: { ...fs, writeFileSync } })));
    expect(error).toMatchObject({ code: "STATE_UNWRITABLE", exitCode: 74 });
    expect(fs.readdirSync(path.dirname(entryFile()))).toEqual([]);
  });

  it("says so when its entry can't be removed", async () => {
    const rmSync = (): never => {
      throw Object.assign(new Error("EROFS"), { code: "EROFS" });
    };
    const lease = openLease(newLease(), makeRuntime({ fs: { ...fs, rmSync } }));
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

describe("listLeases", () => {
  it("is empty where nothing was ever opened, and makes nothing", () => {
    expect(listLeases(makeRuntime())).toEqual([]);
    expect(fs.existsSync(stateDir)).toBe(false);
  });

  it("lists the oldest first, with the state that its process gives it", () => {
    const runtime = makeRuntime();
    openLease(newLease("l-B", OPENED + 2), runtime);
    openLease(newLease("l-A", OPENED + 3), runtime).update({ state: "running", grants: [GRANT] });
    openLease(newLease("l-C", OPENED + 1), runtime);
    orphan(entryFile("l-C"));
    const elsewhere = JSON.parse(fs.readFileSync(entryFile("l-B"), "utf8"));
    elsewhere.owner.pidNamespace = "pid:[0]";
    fs.writeFileSync(entryFile("l-B"), JSON.stringify(elsewhere));
    const listed = listLeases(runtime).map((lease) => [
      lease.id,
      lease.state,
      "usableUntil" in lease && lease.usableUntil,
    ]);
    expect(listed).toEqual([
      ["l-C", "orphaned", DEADLINE],
      ["l-B", "unknown", DEADLINE],
      ["l-A", "running", DEADLINE - 1000],
    ]);
  });

  const unreadable: readonly { name: string; write: (file: string, whole: string) => void }[] = [
    { name: "garbage", write: (file) => fs.writeFileSync(file, "\u0000garbage") },
    { name: "nothing", write: (file) => fs.writeFileSync(file, "") },
    { name: "half an entry", write: (file, whole) => fs.writeFileSync(file, whole.slice(0, whole.length / 2)) },
    {
      name: "another version",
      write: (file, whole) => fs.writeFileSync(file, whole.replace('"version": 1', '"version": 2')),
    },
    {
      name: "a time out of range",
      write: (file, whole) => fs.writeFileSync(file, whole.replace(String(DEADLINE), "9e15")),
    },
    {
      name: "grants that are none",
      write: (file, whole) => fs.writeFileSync(file, whole.replace('"cloud"', '"clown"')),
    },
    {
      name: "another lease",
      write: (file, whole) => fs.writeFileSync(file, whole.replace("l-0000000000000001", "l-2")),
    },
    { name: "a directory", write: (file) => replace(file, () => fs.mkdirSync(file)) },
    { name: "a symbolic link", write: (file) => replace(file, () => fs.symlinkSync("/dev/null", file)) },
  ];
  it.each(unreadable)("lists a file that holds $name as unreadable", ({ write }) => {
    openLease(newLease(), makeRuntime());
    write(entryFile(), fs.readFileSync(entryFile(), "utf8"));
    fs.writeFileSync(`${entryFile()}.1234.tmp`, "left by a crash");
    expect(listLeases(makeRuntime())).toMatchObject([{ id: "l-0000000000000001", state: "unreadable" }]);
  });
});

function replace(file: string, make: () => void): void {
  fs.rmSync(file);
  make();
}

describe("lease list", () => {
  const list = (now: number, ...argv: string[]) =>
    runCommand(registerLease, ["lease", "list", ...argv], makeRuntime({ now: () => now }));

  it("says on stderr that there are none, and keeps stdout to itself", async () => {
    expect(await list(OPENED)).toEqual({ stdout: "", stderr: "agentctl: no open leases\n" });
    expect(JSON.parse((await list(OPENED, "--json")).stdout)).toEqual([]);
  });

  it("shows what is open, and how long", async () => {
    openLease(newLease(), makeRuntime()).update({ state: "running", grants: [GRANT] });
    const { stdout } = await list(OPENED + 90_000);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["ID", "PROFILE", "STATE", "AGE", "ENDS IN", "GRANTS", "PID"],
      ["l-0000000000000001", "deploy", "running", "1m30s", "28m30s", `aws: ${GRANT.principal}`, String(process.pid)],
      [""],
    ]);
  });

  const orphans: readonly { name: string; now: number; want: string }[] = [
    { name: "usable", now: DEADLINE - 2000, want: "orphaned, usable until 2026-01-31T09:29:59Z" },
    { name: "over", now: DEADLINE, want: "orphaned, not usable since 2026-01-31T09:29:59Z" },
  ];
  it.each(orphans)("says until when an orphan's grants are usable: $name", async ({ now, want }) => {
    openLease(newLease(), makeRuntime()).update({ grants: [GRANT] });
    orphan();
    expect((await list(now)).stdout).toContain(`  ${want}  `);
  });

  it("prints JSON with times in RFC 3339", async () => {
    openLease(newLease(), makeRuntime());
    fs.writeFileSync(entryFile("l-X"), "garbage");
    expect(JSON.parse((await list(OPENED, "--json")).stdout)).toEqual([
      {
        id: "l-0000000000000001",
        state: "issuing",
        profile: "deploy",
        openedAt: "2026-01-31T09:00:00Z",
        deadlineAt: "2026-01-31T09:30:00Z",
        usableUntil: "2026-01-31T09:30:00Z",
        actor: "automation",
        command: "terraform",
        pid: process.pid,
        grants: [{ cloud: "aws", principal: "arn:aws:iam::1:role/r" }],
      },
      { id: "l-X", state: "unreadable", problem: "it is not a ledger entry" },
    ]);
  });
});
