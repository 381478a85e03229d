import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, isRunning, noticesOf, poll, resultOf, type Supervised } from "./harness.js";
import type { SupervisorSpec } from "./supervisor.js";

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const HOUR_MS = 3_600_000;
const STOP = { onExpiry: "stop", graceSeconds: 600 } as const;

/** The clock jumps, as it does for a laptop that slept: no timer of an hour has run by then. */
const places: { place: string; start: (spec: Partial<SupervisorSpec> & Pick<SupervisorSpec, "argv">) => Supervised }[] =
  [
    { place: "without a terminal", start: (spec) => bench.withoutTerminal(spec) },
    { place: "on a terminal", start: (spec) => bench.onTerminal(spec) },
  ];

describe.concurrent.each(places)("at the deadline $place", ({ start }) => {
  it("tells it once with `warn`, and lets the command go on", async () => {
    const log = bench.file("log");
    const run = start({ argv: bench.recorder({ log, traps: ["SIGTERM"], exitOn: { SIGUSR1: 5 } }) });
    await bench.recorderPid(log);
    run.advanceClock(HOUR_MS);
    await poll(() => noticesOf(run).length > 0, "the notice");
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(5);
    expect(noticesOf(run)).toEqual([expect.stringMatching(/^the lease ended at \d{4}-.*Z: the command goes on/)]);
    expect(bench.signals(log)).toEqual(["SIGUSR1"]);
    expect(resultOf(run)?.stoppedAtExpiry).toBe(false);
  });

  it("sends SIGTERM with `stop`, and keeps the code of a command that then ends by itself", async () => {
    const [log, below] = [bench.file("log"), bench.file("below")];
    const exitOn = { SIGTERM: 7 };
    const run = start({ ...STOP, argv: bench.recorder({ log, exitOn, child: { log: below, exitOn } }) });
    await bench.recorderPid(log);
    const grandchild = await bench.recorderPid(below);
    run.advanceClock(HOUR_MS);
    expect(await run.exited).toBe(7);
    expect(resultOf(run)).toMatchObject({ exitCode: 7, stoppedAtExpiry: true });
    expect(bench.signals(below)).toEqual(["SIGTERM"]);
    expect(isRunning(grandchild)).toBe(false);
    expect(noticesOf(run)).toEqual([expect.stringContaining("stopping the command (SIGTERM; SIGKILL in 10m)")]);
  });

  it("sends SIGKILL when the grace is over, also to what the command started", async () => {
    const [log, below] = [bench.file("log"), bench.file("below")];
    const traps = ["SIGTERM"] as const;
    const run = start({ ...STOP, argv: bench.recorder({ log, traps, child: { log: below, traps } }) });
    await bench.recorderPid(log);
    const grandchild = await bench.recorderPid(below);
    run.advanceClock(HOUR_MS);
    await poll(() => bench.signals(log).length > 0 && bench.signals(below).length > 0, "SIGTERM");
    expect(resultOf(run)).toBeUndefined();
    run.advanceClock(HOUR_MS + 600_000);
    expect(await run.exited).toBe(137);
    expect(resultOf(run)).toMatchObject({ exitCode: 137, signal: "SIGKILL", stoppedAtExpiry: true });
    await poll(() => !isRunning(grandchild), "the grandchild's death");
    expect(noticesOf(run)).toHaveLength(2);
  });

  it("waits out the grace for what outlives the command, and then ends it", async () => {
    const [log, below] = [bench.file("log"), bench.file("below")];
    const child = { log: below, traps: ["SIGTERM"] as const };
    const run = start({ ...STOP, argv: bench.recorder({ log, exitOn: { SIGTERM: 0 }, child }) });
    const command = await bench.recorderPid(log);
    const grandchild = await bench.recorderPid(below);
    run.advanceClock(HOUR_MS);
    await poll(() => !isRunning(command) && bench.signals(below).length > 0, "the command's end");
    expect([isRunning(grandchild), resultOf(run)]).toEqual([true, undefined]);
    run.advanceClock(HOUR_MS + 600_000);
    expect(await run.exited).toBe(0);
    expect(resultOf(run)).toMatchObject({ exitCode: 0, stoppedAtExpiry: true });
    await poll(() => !isRunning(grandchild), "the grandchild's death");
  });
});

describe.concurrent.each(places)("at a revocation $place", ({ start }) => {
  it("tells it with `warn`, and lets the command go on", async () => {
    const log = bench.file("log");
    const run = start({ argv: bench.recorder({ log, exitOn: { SIGUSR1: 5 } }) });
    await bench.recorderPid(log);
    run.revoke();
    await poll(() => noticesOf(run).length > 0, "the notice");
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(5);
    expect(noticesOf(run)).toEqual([
      "the lease was revoked: the command goes on, and is given no credentials any more",
    ]);
    expect(resultOf(run)?.stoppedAtExpiry).toBe(false);
  });

  it("sends SIGTERM with `stop`, and SIGKILL when the grace is over", async () => {
    const log = bench.file("log");
    const run = start({ ...STOP, argv: bench.recorder({ log, traps: ["SIGTERM"] }) });
    await bench.recorderPid(log);
    run.revoke();
    await poll(() => bench.signals(log).length > 0, "SIGTERM");
    expect(resultOf(run)).toBeUndefined();
    run.advanceClock(600_000);
    expect(await run.exited).toBe(137);
    expect(resultOf(run)).toMatchObject({ exitCode: 137, signal: "SIGKILL", stoppedAtExpiry: false });
    expect(bench.signals(log)).toEqual(["SIGTERM"]);
    expect(noticesOf(run)).toEqual([
      "the lease was revoked: stopping the command (SIGTERM; SIGKILL in 10m)",
      expect.stringContaining("killing it"),
    ]);
  });
});

it("does nothing before the deadline, and nothing after the command's end", async () => {
  const run = bench.withoutTerminal({ ...STOP, argv: ["sh", "-c", "exit 0"] });
  expect(await run.exited).toBe(0);
  expect(noticesOf(run)).toEqual([]);
});
