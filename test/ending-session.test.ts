import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EndContext, Ending, EndOrder } from "../src/core/lease.js";
import type { CloudName } from "../src/core/profile.js";
import type { Happening } from "../src/core/run-request.js";
import { endOnce } from "../src/ending-session.js";
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

const RETRY_MS = 290_000;
const RETRY_AT = new Date(OPENED + RETRY_MS).toISOString();
const STEP = { at: "2026-01-31T09:00:00.000Z", text: "asked, and was refused" };
const AGAIN = { at: "2026-01-31T09:05:00.000Z", text: "took it back" };

const ended = (cloud: CloudName, ending: Partial<Ending> = {}): Ending => {
  return { cloud, word: "revoked", at: "2026-01-31T09:01:00Z", detail: "d", ...ending };
};
const queued = (cloud: CloudName, retryAt?: string): Ending =>
  ended(cloud, { word: "expires", isUnfinished: true, steps: [STEP], ...(retryAt !== undefined && { retryAt }) });

const read = () => JSON.parse(fs.readFileSync(ledger.file(), "utf8"));
const kindsOf = (told: readonly Happening[]) => told.map(({ kind }) => kind);
/** What was to be ended in the nth call, counted from one. */
const ordersOf = (call: number): readonly EndOrder[] => clouds.endGrants.mock.calls[call - 1]?.[0];
const contextOf = (call: number): EndContext => clouds.endGrants.mock.calls[call - 1]?.[1];

/** Of each call, in its order, what the clouds answer; the last of them from then on. */
function answer(...calls: readonly (readonly Ending[])[]): void {
  for (const endings of calls.slice(0, -1)) clouds.endGrants.mockResolvedValueOnce(endings);
  clouds.endGrants.mockResolvedValue(calls.at(-1));
}

describe("what is ended of a lease", () => {
  it("is what was issued, and what rights were asked for of, and nothing else", async () => {
    const { held } = makeHeldLease(ledger, ["aws", "azure", "gcp"]);
    held.account.grants = [makeGrant()];
    held.askedForRights.add("azure");
    answer([ended("aws"), ended("azure")]);
    await endOnce(held);
    expect(ordersOf(1)).toEqual([
      expect.objectContaining({ cloud: "aws", isIssued: true, undo: { of: "aws" }, grant: makeGrant() }),
      {
        leaseId: ID,
        cloud: "azure",
        channel: "env",
        principal: "planned in azure",
        undo: { of: "azure" },
        isIssued: false,
        isHandedOut: false,
        usableUntil: held.prepared.terms.deadlineAt,
      },
    ]);
  });

  it("is told to the ledger first, without what was never asked for", async () => {
    const { held } = makeHeldLease(ledger, ["aws", "azure", "gcp"]);
    held.account.grants = [makeGrant()];
    held.askedForRights.add("azure");
    let atEnding: unknown;
    clouds.endGrants.mockImplementation(async () => {
      atEnding = read();
      return [ended("aws"), ended("azure")];
    });
    await endOnce(held);
    const grants = [{ cloud: "aws", issuedAt: OPENED + 1000 }, { cloud: "azure" }];
    expect(atEnding).toMatchObject({ state: "ending", grants });
    expect(read().grants).toHaveLength(2);
  });

  it("is nothing where nothing was asked for, and the ledger stays as it is", async () => {
    const { held, told } = makeHeldLease(ledger, ["gcp"]);
    answer([]);
    expect(await endOnce(held)).toEqual([]);
    expect(ordersOf(1)).toEqual([]);
    expect(read()).toMatchObject({ state: "issuing", grants: [{ cloud: "gcp" }] });
    expect(kindsOf(told)).toEqual(["progress"]);
  });

  it("is ended once, whoever asks for it second", async () => {
    const { held, told } = makeHeldLease(ledger, ["aws"]);
    held.account.grants = [makeGrant()];
    answer([ended("aws")]);
    expect(await Promise.all([endOnce(held), endOnce(held)])).toEqual([[ended("aws")], [ended("aws")]]);
    await endOnce(held);
    expect(clouds.endGrants).toHaveBeenCalledOnce();
    expect(kindsOf(told)).toEqual(["progress", "ended"]);
  });

  it("is the newest of each grant that is kept renewed", async () => {
    const { held } = makeHeldLease(ledger, ["aws"]);
    held.account.grants = [makeGrant()];
    const newest = makeGrant({ issuedAt: OPENED + 600_000 });
    held.kept = { grants: [newest], renewals: [], current: () => newest, stop: async () => {} } as never;
    answer([ended("aws")]);
    await endOnce(held);
    expect(ordersOf(1)[0]?.grant).toBe(newest);
    expect(held.account.grants).toEqual([newest]);
  });

  it.each([{ isHandedOut: true }, { isHandedOut: false }])(
    "says whether the command could have it: $isHandedOut",
    async ({ isHandedOut }) => {
      const { held } = makeHeldLease(ledger, ["aws"]);
      held.account.grants = [makeGrant()];
      held.isHandedOut = isHandedOut;
      answer([ended("aws")]);
      await endOnce(held);
      expect(ordersOf(1)).toMatchObject([{ isHandedOut }]);
    },
  );

  it("is ended also where the ledger cannot be written any more, which is told", async () => {
    const full = (): never => {
      throw Object.assign(new Error("full"), { code: "ENOSPC" });
    };
    let isFull = false;
    const writeFileSync: typeof fs.writeFileSync = (...args) => (isFull ? full() : fs.writeFileSync(...args));
    const { held, told } = makeHeldLease(ledger, ["aws"], {}, { fs: { ...fs, writeFileSync } });
    held.account.grants = [makeGrant()];
    isFull = true;
    answer([ended("aws")]);
    expect(await endOnce(held)).toEqual([ended("aws")]);
    expect(kindsOf(told)).toEqual(["warning", "progress", "ended"]);
  });
});

describe("what is told of endings", () => {
  const expires = (cloud: CloudName): Ending => ended(cloud, { word: "expires" });
  const rows: readonly { name: string; isIssued: boolean; ending: Ending; isTold: boolean }[] = [
    { name: "that what was never issued ends by itself", isIssued: false, ending: expires("aws"), isTold: false },
    { name: "that what was issued ends by itself", isIssued: true, ending: expires("aws"), isTold: true },
    {
      name: "that a right could not be taken back yet",
      isIssued: false,
      ending: queued("aws", RETRY_AT),
      isTold: true,
    },
    { name: "that a right was taken back", isIssued: false, ending: ended("aws", { word: "removed" }), isTold: true },
    { name: "that a right was not", isIssued: false, ending: ended("aws", { word: "failed" }), isTold: true },
  ];
  it.each(rows)("is, or is not, $name", async ({ isIssued, ending, isTold }) => {
    const { held, told } = makeHeldLease(ledger, ["aws"]);
    if (isIssued) held.account.grants = [makeGrant()];
    else held.askedForRights.add("aws");
    answer([ending]);
    const want = isTold ? [ending] : [];
    expect(await endOnce(held)).toEqual(want);
    expect(held.account.endings).toEqual(want);
    expect(told.filter(({ kind }) => kind === "ended")).toEqual(
      want.map((each) => ({ kind: "ended", ending: each, isHandedOut: false })),
    );
  });

  it.each([true, false])("says whether a command was given it: %s", async (isHandedOut) => {
    const { held, told } = makeHeldLease(ledger, ["aws"]);
    held.account.grants = [makeGrant()];
    if (isHandedOut) held.isHandedOut = true;
    answer([ended("aws")]);
    await endOnce(held);
    expect(told.at(-1)).toEqual({ kind: "ended", ending: ended("aws"), isHandedOut });
  });

  it("is of each cloud its own, where one has nothing to tell", async () => {
    const { held } = makeHeldLease(ledger, ["aws", "azure", "gcp"]);
    held.account.grants = [makeGrant({ cloud: "gcp" })];
    held.askedForRights.add("aws").add("azure");
    answer([expires("gcp"), expires("aws"), ended("azure")]);
    expect(await endOnce(held)).toEqual([expires("gcp"), ended("azure")]);
  });

  it("comes when what was drawn of the waiting is cleared", async () => {
    const { held, told } = makeHeldLease(ledger, ["aws"]);
    held.account.grants = [makeGrant()];
    clouds.endGrants.mockImplementation(async (_: unknown, context: EndContext) => {
      context.onProgress("watching");
      return [ended("aws")];
    });
    await endOnce(held);
    expect(told).toEqual([
      { kind: "progress", text: "watching" },
      { kind: "progress" },
      { kind: "ended", ending: ended("aws"), isHandedOut: false },
    ]);
  });
});

describe("what a cloud takes back only later", () => {
  /** Asked for in azure, and issued in aws. */
  const make = (revoke: "auto" | "required") => {
    const scene = makeHeldLease(ledger, ["aws", "azure"], { revoke });
    scene.held.account.grants = [makeGrant()];
    scene.held.askedForRights.add("azure");
    return scene;
  };

  it("is not waited for, unless the profile requires it", async () => {
    const { held, pauses } = make("auto");
    answer([ended("aws"), queued("azure", RETRY_AT)]);
    expect(await endOnce(held)).toEqual([ended("aws"), queued("azure", RETRY_AT)]);
    expect(clouds.endGrants).toHaveBeenCalledOnce();
    expect(pauses).toEqual([]);
  });

  it("is waited for where the profile requires it, and then alone taken back, by one story", async () => {
    const { held, pauses, told, runtime } = make("required");
    answer([ended("aws"), queued("azure", RETRY_AT)], [ended("azure", { steps: [AGAIN] })]);
    const want = [ended("aws"), ended("azure", { steps: [STEP, AGAIN] })];
    expect(await endOnce(held)).toEqual(want);
    expect(held.account.endings).toEqual(want);
    expect(ordersOf(2)).toEqual([ordersOf(1)[1]]);
    expect(contextOf(2)).toBe(contextOf(1));
    expect(runtime.now()).toBe(OPENED + RETRY_MS);
    expect(Math.max(...pauses), "a machine that sleeps is noticed").toBeLessThanOrEqual(5_000);
    expect(told).toEqual([
      {
        kind: "notice",
        text: "waiting to take back what azure gave, until 2026-01-31T09:04:50Z; an interrupt leaves that to the watchdog",
      },
      {
        kind: "progress",
        text: "waiting to take back what azure gave",
        wait: { since: OPENED, until: OPENED + RETRY_MS },
      },
      { kind: "progress" },
      ...want.map((ending) => ({ kind: "ended", ending, isHandedOut: false })),
    ]);
  });

  it("stands in the ledger while it is waited for, for whoever goes on if this process dies", async () => {
    let inLedger: { readonly state: string; readonly grants: readonly { readonly ending: Ending }[] } | undefined;
    const scene = make("required");
    const sleep = scene.runtime.sleep;
    Object.assign(scene.runtime, {
      sleep: (ms: number) => {
        inLedger ??= read();
        return sleep(ms);
      },
    });
    answer([ended("aws"), queued("azure", RETRY_AT)], [ended("azure")]);
    await endOnce(scene.held);
    expect(inLedger?.state).toBe("ending");
    expect(inLedger?.grants.map(({ ending }) => ending)).toEqual([ended("aws"), queued("azure", RETRY_AT)]);
  });

  it("is waited for in two clouds until the later time", async () => {
    const { held, runtime, told } = make("required");
    const later = new Date(OPENED + RETRY_MS + 60_000).toISOString();
    answer([queued("aws", later), queued("azure", RETRY_AT)], [ended("aws"), ended("azure")]);
    await endOnce(held);
    expect(runtime.now()).toBe(OPENED + RETRY_MS + 60_000);
    expect(told[1]).toEqual({
      kind: "progress",
      text: "waiting to take back what aws and azure gave",
      wait: { since: OPENED, until: OPENED + RETRY_MS + 60_000 },
    });
  });

  it("is tried at most three times more, of a cloud that names one time after the other", async () => {
    const { held, runtime } = make("required");
    clouds.endGrants.mockImplementation(async (orders: readonly EndOrder[]) =>
      orders.map(({ cloud }) => (cloud === "aws" ? ended("aws") : queued(cloud, formatLater(runtime.now() + 60_000)))),
    );
    const [, azure] = await endOnce(held);
    expect(clouds.endGrants).toHaveBeenCalledTimes(4);
    expect(azure).toMatchObject({ cloud: "azure", isUnfinished: true, steps: [STEP, STEP, STEP, STEP] });
    expect(runtime.now()).toBe(OPENED + 180_000);
  });

  it("is left to others when the next try cannot be told when to make", async () => {
    const { held, pauses } = make("required");
    answer([ended("aws"), queued("azure", RETRY_AT)], [queued("azure")]);
    const [, azure] = await endOnce(held);
    expect(azure).toEqual({ ...queued("azure"), steps: [STEP, STEP] });
    expect(clouds.endGrants).toHaveBeenCalledTimes(2);
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBe(RETRY_MS);
  });

  it("is waited for beside another cloud's that failed and names no time, which is tried again then", async () => {
    const { held, runtime } = make("required");
    answer([queued("aws"), queued("azure", RETRY_AT)], [ended("aws"), ended("azure")]);
    const endings = await endOnce(held);
    expect(endings.map(({ isUnfinished }) => isUnfinished)).toEqual([undefined, undefined]);
    expect(runtime.now()).toBe(OPENED + RETRY_MS);
  });

  it("is not waited for where no time is named", async () => {
    const { held, pauses } = make("required");
    answer([ended("aws"), queued("azure")]);
    expect(await endOnce(held)).toEqual([ended("aws"), queued("azure")]);
    expect([clouds.endGrants.mock.calls.length, pauses]).toEqual([1, []]);
  });

  it.each([{ by: "unwatched" }, { by: "left" }] as const)(
    "is left to the watchdog at once by an interrupt while it is waited for ($by)",
    async ({ by }) => {
      const { held, told, runtime } = make("required");
      Object.assign(runtime, {
        sleep: () => {
          held[by].abort();
          return new Promise(() => {});
        },
      });
      answer([ended("aws"), queued("azure", RETRY_AT)], [ended("azure")]);
      expect(await endOnce(held)).toEqual([ended("aws"), queued("azure", RETRY_AT)]);
      expect(clouds.endGrants).toHaveBeenCalledOnce();
      expect(kindsOf(told)).toEqual(["notice", "progress", "progress", "ended", "ended"]);
      expect(told[2]).toEqual({ kind: "progress" });
    },
  );

  it("is not waited for at all where an interrupt came before", async () => {
    const { held, pauses, told } = make("required");
    held.unwatched.abort();
    answer([ended("aws"), queued("azure", RETRY_AT)], [ended("azure")]);
    expect(await endOnce(held)).toEqual([ended("aws"), queued("azure", RETRY_AT)]);
    expect(pauses).toEqual([]);
    expect(kindsOf(told)).toEqual(["progress", "ended", "ended"]);
  });

  it("is watched and tried under the lease's own signals", async () => {
    const { held } = make("auto");
    answer([ended("aws"), ended("azure")]);
    await endOnce(held);
    const { unwatched, signal, mintToken } = contextOf(1);
    expect([unwatched, signal]).toEqual([held.unwatched.signal, held.left.signal]);
    expect(unwatched).toBe(held.unwatched.signal);
    expect(mintToken).toBe(held.prepared.identity.mintToken);
  });
});

function formatLater(at: number): string {
  return new Date(at).toISOString();
}
