import * as fs from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { closeLease, leaveLedger, revokeWhileRunning } from "../src/closing-session.js";
import type { Ending } from "../src/core/lease.js";
import type { CloudName, RevokeMode } from "../src/core/profile.js";
import { ID, makeGrant, makeScratchLedger, OPENED, type ScratchLedger } from "./lease/scratch-ledger.js";
import { makeHeldLease } from "./make-held-lease.js";

const clouds = vi.hoisted(() => ({ endGrants: vi.fn() }));
vi.mock("../src/clouds/index.js", async (importOriginal) => ({ ...(await importOriginal<object>()), ...clouds }));

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
  clouds.endGrants.mockReset();
});
afterEach(() => ledger.remove());

const RETRY_AT = new Date(OPENED + 290_000).toISOString();

const ended = (cloud: CloudName): Ending => ({ cloud, word: "revoked", at: "2026-01-31T09:01:00Z", detail: "d" });
const failed = (cloud: CloudName): Ending => ({ ...ended(cloud), word: "failed", isUnfinished: true });
const queued = (cloud: CloudName): Ending => ({ ...failed(cloud), word: "expires", retryAt: RETRY_AT });

const isInLedger = (): boolean => fs.existsSync(ledger.file());
const read = () => JSON.parse(fs.readFileSync(ledger.file(), "utf8"));

describe("a lease that leaves the ledger", () => {
  const SWEEP = `finish it with agentctl lease sweep ${ID}`;
  const rows: readonly {
    name: string;
    endings: readonly Ending[] | undefined;
    isLeft?: boolean;
    stays: boolean;
    releases: number;
    want: readonly object[];
  }[] = [
    {
      name: "is gone, with its watchdog, when all has ended",
      endings: [ended("aws")],
      stays: false,
      releases: 1,
      want: [],
    },
    { name: "is gone where nothing was to be ended", endings: undefined, stays: false, releases: 1, want: [] },
    {
      name: "stays for its watchdog, which is kept, when its cloud takes the rest back only later",
      endings: [ended("aws"), queued("azure")],
      stays: true,
      releases: 0,
      want: [
        {
          kind: "notice",
          text: `lease ${ID} stays in the ledger until 2026-01-31T09:04:50Z: its watchdog then takes back what azure gave, if this machine still runs`,
        },
      ],
    },
    {
      name: "stays for its watchdog, which tries the other cloud too, when one of two is queued",
      endings: [failed("aws"), queued("azure")],
      stays: true,
      releases: 0,
      want: [
        {
          kind: "notice",
          text: `lease ${ID} stays in the ledger until 2026-01-31T09:04:50Z: its watchdog then takes back what aws, azure gave, if this machine still runs`,
        },
      ],
    },
    {
      name: "stays queued for its watchdog, whoever interrupted",
      endings: [queued("azure")],
      isLeft: true,
      stays: true,
      releases: 0,
      want: [expect.objectContaining({ kind: "notice" })],
    },
    {
      name: "stays for a sweep, and its watchdog goes, when a further try was of no use here",
      endings: [failed("aws")],
      stays: true,
      releases: 1,
      want: [{ kind: "warning", text: `lease ${ID} stays in the ledger (aws): ${SWEEP}` }],
    },
    {
      name: "stays for its watchdog, which is kept, when nobody waited here",
      endings: [failed("aws"), ended("azure")],
      isLeft: true,
      stays: true,
      releases: 0,
      want: [{ kind: "warning", text: `lease ${ID} stays in the ledger: its watchdog goes on with aws` }],
    },
  ];
  it.each(rows)("$name", ({ endings, isLeft = false, stays, releases, want }) => {
    const { held, told, released } = makeHeldLease(ledger, ["aws", "azure"]);
    if (endings !== undefined) held.account.endings = endings;
    if (isLeft) held.left.abort();
    leaveLedger(held);
    leaveLedger(held);
    expect([isInLedger(), released()]).toEqual([stays, releases]);
    expect(told).toEqual(want);
  });

  it("keeps what kept it there for after the command's own failure", () => {
    const rmSync = (): never => {
      throw Object.assign(new Error("read-only"), { code: "EROFS" });
    };
    const { held, told, released } = makeHeldLease(ledger, ["aws"], {}, { fs: { ...fs, rmSync } });
    held.account.endings = [ended("aws")];
    leaveLedger(held);
    expect(held.account.unclosed).toMatchObject({ code: "STATE_UNWRITABLE" });
    expect([told, released()]).toEqual([[], 1]);
  });
});

describe("closing a lease", () => {
  /** Signals that a test sends while a lease is closed. */
  function stage(revoke: RevokeMode, names: readonly CloudName[] = ["aws", "azure"]) {
    const handlers: (() => void)[] = [];
    const onSignal = (name: string, act: () => void) => {
      if (name === "SIGINT") handlers.push(act);
      return () => void handlers.splice(handlers.indexOf(act), 1);
    };
    const kills: unknown[] = [];
    const kill = (...args: unknown[]) => kills.push(args) > 0;
    const scene = makeHeldLease(ledger, names, { revoke }, { onSignal, kill });
    scene.held.account.grants = [makeGrant()];
    scene.held.askedForRights.add("azure");
    const interrupt = (): void => {
      for (const act of handlers) act();
    };
    return { ...scene, handlers, interrupt, kills };
  }

  it("leaves what is unfinished in the ledger as it stands, with the time of the next try", async () => {
    clouds.endGrants.mockResolvedValue([ended("aws"), queued("azure")]);
    const { held, handlers } = stage("auto");
    await closeLease(held);
    expect(read()).toMatchObject({
      state: "ending",
      grants: [
        { cloud: "aws", ending: { word: "revoked" } },
        { cloud: "azure", ending: { isUnfinished: true, retryAt: RETRY_AT } },
      ],
    });
    expect(handlers).toEqual([]);
  });

  it("writes nothing more where all has ended: the lease is about to leave", async () => {
    clouds.endGrants.mockResolvedValue([ended("aws"), ended("azure")]);
    const { held } = stage("auto");
    await closeLease(held);
    expect(read().grants.map((grant: object) => "ending" in grant)).toEqual([false, false]);
  });

  it("leaves to the watchdog, at an interrupt, what it waits for since the profile requires it", async () => {
    clouds.endGrants.mockResolvedValue([ended("aws"), queued("azure")]);
    const { held, told, runtime, interrupt, released } = stage("required");
    Object.assign(runtime, {
      sleep: () => {
        interrupt();
        return new Promise(() => {});
      },
    });
    await closeLease(held);
    expect(clouds.endGrants).toHaveBeenCalledOnce();
    expect(held.account.endings).toEqual([ended("aws"), queued("azure")]);
    leaveLedger(held);
    expect([isInLedger(), released(), read().grants[1].ending.retryAt]).toEqual([true, 0, RETRY_AT]);
    expect(told.filter(({ kind }) => kind === "notice").map((each) => "text" in each && each.text)).toEqual([
      expect.stringMatching(/^waiting to take back .* gave, until .*; an interrupt leaves that to the watchdog$/),
      "leaving the rest to its watchdog",
      expect.stringContaining("its watchdog then takes back what azure gave"),
    ]);
  });

  it("cuts nothing off of what is told then, however often it is interrupted", async () => {
    clouds.endGrants.mockResolvedValue([ended("aws"), queued("azure")]);
    const { held, told, runtime, interrupt, kills } = stage("required");
    Object.assign(runtime, {
      sleep: () => {
        for (let count = 0; count < 5; count += 1) interrupt();
        return new Promise(() => {});
      },
    });
    let isSwept = false;
    held.sweeping = new Promise((resolve) => {
      held.sweepStop.signal.addEventListener("abort", () => {
        for (let count = 0; count < 5; count += 1) interrupt();
        isSwept = true;
        resolve();
      });
    });
    await closeLease(held);
    expect([isSwept, kills]).toEqual([true, []]);
    expect(told.filter(({ kind }) => kind === "notice")).toHaveLength(2);
    leaveLedger(held);
    expect(isInLedger()).toBe(true);
  });

  it("waits for others' leases no longer at an interrupt when its own have ended, and is not cut off by more", async () => {
    clouds.endGrants.mockResolvedValue([ended("aws"), ended("azure")]);
    const { held, told, interrupt, kills } = stage("auto");
    let sweeping = (): void => {};
    held.sweeping = new Promise((resolve) => {
      sweeping = resolve;
    });
    held.sweepStop.signal.addEventListener("abort", () => sweeping());
    const closed = closeLease(held);
    await vi.waitFor(() => expect(held.closing).toBe("ended"));
    for (let count = 0; count < 5; count += 1) interrupt();
    await closed;
    expect([held.sweepStop.signal.aborted, kills]).toEqual([true, []]);
    expect(told.filter(({ kind }) => kind === "notice")).toEqual([]);
  });

  it("tries no more at the second interrupt", async () => {
    let interrupt = (): void => {};
    clouds.endGrants.mockImplementation(async () => {
      interrupt();
      interrupt();
      return [failed("aws"), ended("azure")];
    });
    const scene = stage("auto");
    interrupt = scene.interrupt;
    await closeLease(scene.held);
    expect([scene.held.unwatched.signal.aborted, scene.held.left.signal.aborted]).toEqual([true, true]);
  });

  it("waits for a revocation that is under way, which is still being put on record", async () => {
    clouds.endGrants.mockResolvedValue([ended("aws"), ended("azure")]);
    const { held } = stage("auto");
    let settle = (): void => {};
    held.earlyEnd = new Promise((resolve) => {
      settle = resolve;
    });
    let isClosed = false;
    const closed = closeLease(held).then(() => {
      isClosed = true;
    });
    await vi.waitFor(() => expect(held.account.endings).toBeDefined());
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    settle();
    await closed;
  });

  it("ends a lease once that is revoked while its command runs, and tells who did it", async () => {
    clouds.endGrants.mockResolvedValue([ended("aws"), queued("azure")]);
    const { held, told } = stage("auto");
    held.earlyEnd = revokeWhileRunning(held, { at: OPENED, pid: 9, user: "ada" });
    await closeLease(held);
    expect(clouds.endGrants).toHaveBeenCalledOnce();
    expect(held.account.revokedBy).toEqual({ at: "2026-01-31T09:00:00Z", pid: 9, user: "ada" });
    expect(held.revoked.signal.aborted).toBe(true);
    expect(told[0]).toEqual({ kind: "warning", text: "the lease was revoked by ada (process 9)" });
    expect(read().grants[1].ending).toMatchObject({ isUnfinished: true, retryAt: RETRY_AT });
    const log = fs.readFileSync(path.join(ledger.stateDir, "audit", "audit.jsonl"), "utf8");
    expect(
      log
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).kind),
    ).toEqual(["lease.revoked"]);
  });
});
