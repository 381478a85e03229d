import * as fs from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { OpenedProfile, RightsListener } from "../src/clouds/index.js";
import { AgentctlError } from "../src/core/errors.js";
import type { LeaseTerms, RightsContext } from "../src/core/lease.js";
import type { Profile } from "../src/core/profile.js";
import { hold } from "../src/held-session.js";
import type { RevokeRequest } from "../src/lease/index.js";
import { giveRights } from "../src/rights-session.js";
import type { Interruption } from "../src/run/index.js";
import { DEADLINE, makeScratchLedger, OPENED, type ScratchLedger } from "./lease/scratch-ledger.js";
import { type HeldScene, LATEST_DEADLINE, makeHeldLease, TERMS } from "./make-held-lease.js";
import { thrownBy } from "./thrown.js";

const clouds = vi.hoisted(() => ({ hasRights: vi.fn(), openRights: vi.fn() }));
vi.mock("../src/clouds/index.js", async (importOriginal) => ({ ...(await importOriginal<object>()), ...clouds }));

let ledger: ScratchLedger;
beforeEach(() => {
  ledger = makeScratchLedger();
  clouds.hasRights.mockReset().mockResolvedValue(true);
  clouds.openRights.mockReset();
});
afterEach(() => ledger.remove());

type Context = Omit<RightsContext, keyof RightsListener>;
type Open = (context: Context, listener: RightsListener) => Promise<OpenedProfile>;

const STEP = { at: "2026-01-31T09:00:01.000Z", text: "gave it Viewer" };
const WORKS = { at: "2026-01-31T09:01:00.000Z", text: "it works" };
const OPENED_PROFILE = { name: "deploy", clouds: { gcp: { serviceAccount: "of the pool" } } } as unknown as Profile;

const OPENED_ALL: OpenedProfile = { profile: OPENED_PROFILE, clouds: ["gcp"] };

const read = () => JSON.parse(fs.readFileSync(ledger.file(), "utf8"));

/** A held lease whose watching for a revocation a test holds in its hands. */
function stage(open: Open) {
  clouds.openRights.mockImplementation((...args: readonly unknown[]) =>
    open(args[3] as Context, args[5] as RightsListener),
  );
  const scene = makeHeldLease(ledger, ["azure", "gcp"]);
  const watching = new Set<(request: RevokeRequest) => void>();
  scene.held.entry.onRevoked = (act) => {
    watching.add(act);
    return () => void watching.delete(act);
  };
  const interrupt = new AbortController();
  const interruption: Interruption = {
    signal: interrupt.signal,
    throwIfInterrupted: () => {},
    interrupt: (work) => work,
    stop: () => {},
    stopAfterExit: () => {},
  };
  const revoke = (request: RevokeRequest): void => {
    for (const act of watching) act(request);
  };
  return { ...scene, interrupt, revoke, watching, give: () => giveRights(scene.held, interruption) };
}

const untilStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

function expectUnbegun({ held, told, watching }: Pick<HeldScene, "held" | "told"> & { watching: Set<unknown> }): void {
  expect(held.prepared.terms).toBe(TERMS);
  expect(read().deadlineAt).toBe(DEADLINE);
  expect(told.map(({ kind }) => kind)).not.toContain("begun");
  expect(told.at(-1), "what was drawn is cleared").toEqual({ kind: "progress" });
  expect(watching.size).toBe(0);
}

describe("giving rights", () => {
  it("is nothing where the profile gives none: the time runs from the opening", async () => {
    clouds.hasRights.mockResolvedValue(false);
    const { held, give, told, watching } = stage(async () => ({ ...OPENED_ALL, clouds: [] }));
    const { profile } = held.prepared;
    await give();
    expect(clouds.hasRights).toHaveBeenCalledWith(profile);
    expect(clouds.openRights).not.toHaveBeenCalled();
    expect([held.prepared.terms, held.account.terms, told, watching.size]).toEqual([TERMS, TERMS, [], 0]);
    expect(read().deadlineAt).toBe(DEADLINE);
  });

  it("has the ledger say what is waited for, as it changes and not over and over, until the time begins", async () => {
    const seen: unknown[] = [];
    const { give, setClock } = stage(async ({ onProgress }) => {
      for (const [text, waitedMs] of [
        ["waiting for lease l-A", 0],
        ["waiting for what another cloud gave", 999],
        ["waiting for lease l-A", 1_000],
        ["waiting for Viewer", 2_000],
      ] as const) {
        setClock(OPENED + waitedMs);
        onProgress(text);
        seen.push(read().waitsFor);
      }
      return OPENED_ALL;
    });
    await give();
    expect(seen).toEqual([...new Array(3).fill("waiting for lease l-A"), "waiting for Viewer"]);
    expect(read()).not.toHaveProperty("waitsFor");
  });

  const begun: readonly { name: string; waitMs: number; want: number }[] = [
    { name: "when they work", waitMs: 120_000, want: DEADLINE + 120_000 },
    { name: "so late that it ends no later than was said", waitMs: 400_000, want: LATEST_DEADLINE },
  ];
  it.each(begun)("has the time begin $name, here, in the ledger and on record", async ({ waitMs, want }) => {
    const { held, give, setClock, told, watching } = stage(async (_, { onStep }) => {
      onStep("gcp", STEP);
      setClock(OPENED + waitMs);
      onStep("gcp", WORKS);
      return OPENED_ALL;
    });
    const { plans, identity } = held.prepared;
    await give();
    const terms: LeaseTerms = { ...TERMS, deadlineAt: want };
    expect(held.prepared).toMatchObject({ terms, profile: OPENED_PROFILE, plans, identity });
    expect(held.prepared.profile).toBe(OPENED_PROFILE);
    expect([held.account.terms, held.account.rights]).toEqual([terms, [{ cloud: "gcp", steps: [STEP, WORKS] }]]);
    expect(read()).toMatchObject({ openedAt: OPENED, deadlineAt: want, state: "issuing" });
    expect(told).toEqual([{ kind: "progress" }, { kind: "begun", terms, clouds: ["gcp"] }, { kind: "progress" }]);
    expect(watching.size, "whoever runs the command watches from there").toBe(0);
  });

  it("asks for the lease's own, as its identity", async () => {
    const { held, give, runtime } = stage(async () => OPENED_ALL);
    const { profile, plans, identity } = held.prepared;
    await give();
    const [askedProfile, askedPlans, askedTerms, context, askedRuntime] = clouds.openRights.mock.calls[0] ?? [];
    expect([askedProfile, askedPlans, askedTerms, askedRuntime]).toEqual([profile, plans, TERMS, runtime]);
    expect(context).toMatchObject({ mintToken: identity.mintToken, mintableUntil: identity.mintableUntil });
  });

  it("tells what is waited for, and clears that", async () => {
    const { give, told } = stage(async ({ onProgress, onNotice }) => {
      onProgress("waiting for gcp", { since: 1, until: 2 });
      onNotice("l-2 has it until then");
      return OPENED_ALL;
    });
    await give();
    expect(told.slice(0, 3)).toEqual([
      { kind: "progress", text: "waiting for gcp", wait: { since: 1, until: 2 } },
      { kind: "notice", text: "l-2 has it until then" },
      { kind: "progress" },
    ]);
  });

  it("remembers where something was asked for, also when it comes to nothing", async () => {
    const refusal = new AgentctlError("CLOUD_DENIED", "gcp refuses");
    const scene = stage(async (_, { onAsking }) => {
      onAsking("gcp");
      throw refusal;
    });
    expect(await thrownBy(scene.give)).toBe(refusal);
    expect([...scene.held.askedForRights]).toEqual(["gcp"]);
    expect(scene.held.account.rights).toBeUndefined();
    expectUnbegun(scene);
  });

  it("has on record what was given before it came to nothing, in each cloud", async () => {
    const scene = stage(async (_, { onStep }) => {
      for (const cloud of ["gcp", "azure"] as const) onStep(cloud, STEP);
      onStep("gcp", WORKS);
      throw new AgentctlError("NOT_READY", "azure does not work");
    });
    await thrownBy(scene.give);
    expect(scene.held.account.rights).toEqual([
      { cloud: "gcp", steps: [STEP, WORKS] },
      { cloud: "azure", steps: [STEP] },
    ]);
    expectUnbegun(scene);
  });

  it("is stopped by a revocation, which is told as that", async () => {
    let isWaiting = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      isWaiting = resolve;
    });
    const scene = stage(({ signal, onProgress }, { onAsking }) => {
      onAsking("azure");
      onProgress("waiting for azure");
      isWaiting();
      return untilStopped(signal).catch(() => {
        throw new AgentctlError("LEASE_ENDED", "Azure: the lease was revoked");
      });
    });
    const given = thrownBy(scene.give);
    await waiting;
    scene.revoke({ at: OPENED + 60_000, pid: 9, user: "ada" });
    expect(await given).toMatchObject({
      code: "LEASE_ENDED",
      message: expect.stringContaining("2026-01-31T09:01:00Z"),
    });
    expect(scene.held.account.revokedBy).toEqual({ at: "2026-01-31T09:01:00Z", pid: 9, user: "ada" });
    expect(scene.told).toContainEqual({ kind: "warning", text: "the lease was revoked by ada (process 9)" });
    expect([...scene.held.askedForRights]).toEqual(["azure"]);
    expect(scene.held.revoked.signal.aborted, "there is no command to be told").toBe(false);
    expectUnbegun(scene);
  });

  it("is stopped by an interrupt", async () => {
    const scene = stage(({ signal }) => untilStopped(signal));
    const given = thrownBy(scene.give);
    const reason = new AgentctlError("INTERRUPTED", "interrupted by SIGINT");
    await vi.waitFor(() => expect(clouds.openRights).toHaveBeenCalled());
    scene.interrupt.abort(reason);
    expect(await given).toBe(reason);
    expectUnbegun(scene);
  });

  it("does not begin the time where that cannot be written down", async () => {
    const { held, give, told, watching } = stage(async () => OPENED_ALL);
    held.entry.update = () => {
      throw new AgentctlError("STATE_UNWRITABLE", "full");
    };
    expect((await thrownBy(give)).code).toBe("STATE_UNWRITABLE");
    expect(told).toEqual([{ kind: "progress" }]);
    expect(watching.size).toBe(0);
  });
});

describe("a lease that is held", () => {
  it("begins with nothing asked for, and nothing of another's", () => {
    const one = makeHeldLease(ledger, ["gcp"]).held;
    const other = hold(one);
    one.askedForRights.add("gcp");
    for (const name of ["revoked", "unwatched", "left", "sweepStop"] as const) {
      one[name].abort();
      expect([name, other[name].signal.aborted]).toEqual([name, false]);
    }
    expect(other.askedForRights.size).toBe(0);
    expect([other.kept, other.delivery, other.ending, other.isHandedOut]).toEqual(new Array(4).fill(undefined));
  });
});
