import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandProcess, readStartedAt } from "../../src/core/process-list.js";
import type { Runtime } from "../../src/core/runtime.js";
import { endStrays } from "../../src/run/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { Bench, isRunning, poll, type Recorder } from "./harness.js";

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

let count = 0;
/** One that no other test has, also none that runs beside this one. */
function newLeaseId(): string {
  count += 1;
  return `l-test${process.pid}x${count}`;
}

function markOf(leaseId: string): Record<string, string> {
  return { AGENTCTL_LEASE_ID: leaseId };
}

function sweeper(overrides: Partial<Runtime> = {}): Runtime {
  const kill = (pid: number, signal: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  };
  return fakeRuntime({ kill, sleep: (ms) => sleep(ms), ...overrides });
}

function commandOf(recorder: Recorder, leadsGroup = true): CommandProcess {
  return { pid: recorder.pid, startedAt: readStartedAt(recorder.pid, sweeper()), leadsGroup };
}

/** A stranger to every lease, which each test leaves alone. */
async function finish(...recorders: Recorder[]): Promise<void> {
  for (const { pid } of recorders) {
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  }
  await Promise.all(recorders.map(({ exited }) => exited));
}

const ON_LINUX = process.platform === "linux";

describe("by the child's process", () => {
  it.each([true, false])("ends it and what descends from it (leads its group: %s)", async (leadsGroup) => {
    const below = bench.file("below");
    const child = await bench.start({ child: { log: below, exitOn: { SIGTERM: 0 } }, exitOn: { SIGTERM: 0 } });
    const grandchild = await bench.recorderPid(below);
    const order = { leaseId: newLeaseId(), child: commandOf(child, leadsGroup), graceSeconds: 30 };
    expect(await endStrays(order, sweeper())).toEqual({ found: 2, killed: 0, left: 0 });
    expect([child.pid, grandchild].map(isRunning)).toEqual([false, false]);
    expect([bench.signals(child.log), bench.signals(below)]).toEqual([["SIGTERM"], ["SIGTERM"]]);
  });

  it("leaves a later process with the same pid alone", async () => {
    const child = await bench.start({});
    for (const startedAt of ["1", ""]) {
      const order = { leaseId: newLeaseId(), child: { ...commandOf(child), startedAt }, graceSeconds: 30 };
      expect(await endStrays(order, sweeper())).toEqual({ found: 0, killed: 0, left: 0 });
    }
    await finish(child);
  });

  it("leaves the group alone that the child does not lead", async () => {
    const below = bench.file("below");
    const leader = await bench.start({ child: { log: below } });
    const child = { log: below, pid: await bench.recorderPid(below), exited: Promise.resolve() };
    const order = { leaseId: newLeaseId(), child: commandOf(child, false), graceSeconds: 30 };
    expect(await endStrays(order, sweeper())).toEqual({ found: 1, killed: 0, left: 0 });
    await finish(leader);
  });

  it.runIf(ON_LINUX).each([
    { name: "which nobody marks as the lease's", isMarked: false, want: 0 },
    { name: "which somebody in it marks as the lease's", isMarked: true, want: 2 },
  ])("takes $want of a group without its leader, $name", async ({ isMarked, want }) => {
    const leaseId = newLeaseId();
    const [below, bottom] = [bench.file("below"), bench.file("bottom")];
    const env = isMarked ? markOf(leaseId) : {};
    // The one at the bottom bears no mark, and is the child of one that has ended.
    const child = { log: below, env, child: { log: bottom, env: {} } };
    const leader = await bench.start({ child });
    const pids = [await bench.recorderPid(below), await bench.recorderPid(bottom)];
    const command = commandOf(leader);
    await finish(leader);
    const result = await endStrays({ leaseId, child: command, graceSeconds: 30 }, sweeper());
    expect(result).toEqual({ found: want, killed: 0, left: 0 });
    expect(pids.filter(isRunning)).toHaveLength(2 - want);
    for (const pid of pids.filter(isRunning)) process.kill(pid, "SIGKILL");
  });

  it("does so on macOS too, by its ps", async () => {
    const child = await bench.start({ exitOn: { SIGTERM: 0 } });
    const runtime = sweeper({ platform: "darwin" });
    const startedAt = readStartedAt(child.pid, runtime);
    expect(startedAt).toMatch(/\d\d:\d\d:\d\d/);
    const order = { leaseId: newLeaseId(), graceSeconds: 30 };
    const command = { pid: child.pid, startedAt, leadsGroup: true };
    expect(await endStrays({ ...order, child: command }, runtime)).toEqual({ found: 1, killed: 0, left: 0 });
    expect(bench.signals(child.log)).toEqual(["SIGTERM"]);
  });
});

describe.runIf(ON_LINUX)("by the lease's mark", () => {
  it("ends what nobody else tells of, and nothing of another lease", async () => {
    const [leaseId, other] = [newLeaseId(), newLeaseId()];
    const daemon = await bench.start({}, markOf(leaseId));
    const strangers = [
      await bench.start({}),
      await bench.start({}, markOf(other)),
      await bench.start({}, markOf(`${leaseId}0`)),
      await bench.start({}, { OTHER_AGENTCTL_LEASE_ID: leaseId }),
    ];
    expect(await endStrays({ leaseId, graceSeconds: 30 }, sweeper())).toEqual({ found: 1, killed: 0, left: 0 });
    await daemon.exited;
    await finish(...strangers);
  });

  it("leaves the command of a lease within to that lease's agentctl", async () => {
    const leaseId = newLeaseId();
    const below = bench.file("below");
    const inner = { log: below, env: markOf(newLeaseId()) };
    const agentctl = await bench.start({ child: inner, exitOn: { SIGTERM: 0 } }, markOf(leaseId));
    const command = await bench.recorderPid(below);
    const order = { leaseId, child: commandOf(agentctl), graceSeconds: 30 };
    expect(await endStrays(order, sweeper())).toEqual({ found: 1, killed: 0, left: 0 });
    expect([bench.signals(agentctl.log), bench.signals(below)]).toEqual([["SIGTERM"], []]);
    expect(isRunning(command)).toBe(true);
    process.kill(command, "SIGKILL");
  });

  it("spares who ends them and whoever that descends from, and takes what is beside", async () => {
    const leaseId = newLeaseId();
    const [middle, bottom] = [bench.file("middle"), bench.file("bottom")];
    const top = await bench.start({ child: { log: middle, child: { log: bottom } } }, markOf(leaseId));
    const pids = [top.pid, await bench.recorderPid(middle), await bench.recorderPid(bottom)];
    const beside = await bench.start({}, markOf(leaseId));
    const pid = pids[1] ?? Number.NaN;
    const seen = { ...fs, readlinkSync: (() => String(pid)) as unknown as typeof fs.readlinkSync };
    const result = await endStrays({ leaseId, graceSeconds: 30 }, sweeper({ pid, fs: seen }));
    expect(result).toEqual({ found: 2, killed: 0, left: 0 });
    await beside.exited;
    expect(pids.map(isRunning)).toEqual([true, true, false]);
    for (const each of pids.slice(0, 2)) process.kill(each, "SIGKILL");
  });

  it("leaves other users' processes alone, whatever root may read", async () => {
    const leaseId = newLeaseId();
    const daemon = await bench.start({}, markOf(leaseId));
    const runtime = sweeper({ uid: 4_242_424 });
    expect(await endStrays({ leaseId, graceSeconds: 30 }, runtime)).toEqual({ found: 0, killed: 0, left: 0 });
    await finish(daemon);
  });

  it("touches nothing where /proc is another namespace's", async () => {
    const leaseId = newLeaseId();
    const daemon = await bench.start({}, markOf(leaseId));
    const order = { leaseId, child: commandOf(daemon), graceSeconds: 30 };
    expect(await endStrays(order, sweeper({ pid: process.ppid }))).toEqual({ found: 0, killed: 0, left: 0 });
    await finish(daemon);
  });
});

describe("with those that do not stop", () => {
  it("waits for the grace and then kills them, also what they have started meanwhile", async () => {
    const late = bench.file("late");
    const traps = ["SIGTERM"] as const;
    const child = await bench.start({ traps, startOn: { SIGTERM: { log: late, traps } } });
    // Who is new is looked for when it can be told to stop, and the grace ends when it was told.
    let nowMs = 0;
    const looks: (() => Promise<unknown>)[] = [
      () => bench.recorderPid(late),
      () => poll(() => bench.signals(late).length > 0, "SIGTERM").then(() => (nowMs += 60_000)),
    ];
    const runtime = sweeper({
      now: () => nowMs,
      sleep: async () => void (await (looks.shift() ?? (() => sleep(15)))()),
    });
    const order = { leaseId: newLeaseId(), child: commandOf(child), graceSeconds: 60 };
    expect(await endStrays(order, runtime)).toEqual({ found: 2, killed: 2, left: 0 });
    const started = await bench.recorderPid(late);
    expect(bench.signals(child.log)).toEqual(["SIGTERM"]);
    await poll(() => !isRunning(child.pid) && !isRunning(started), "their death");
  });

  it("does not wait for those that may not be signalled, and tells that they are left", async () => {
    const child = await bench.start({});
    let slept = 0;
    const runtime = sweeper({
      kill: () => false,
      sleep: async () => {
        slept += 1;
      },
    });
    const order = { leaseId: newLeaseId(), child: commandOf(child), graceSeconds: 3_600 };
    expect(await endStrays(order, runtime)).toEqual({ found: 1, killed: 0, left: 1 });
    expect(slept).toBeLessThan(3);
    await finish(child);
  });
});
