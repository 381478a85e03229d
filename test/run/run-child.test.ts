import type { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import type { Runtime } from "../../src/core/runtime.js";
import { type ChildOrder, runChild } from "../../src/run/index.js";
import { fakeRuntime } from "../fake-runtime.js";
import { thrownBy } from "../thrown.js";

const PID = 4242;

const ORDER: ChildOrder = {
  command: { argv: ["tool", "a"], path: "/bin/tool" },
  env: { A: "1" },
  cwd: "/",
  deadlineAt: Number.MAX_SAFE_INTEGER,
  onExpiry: "warn",
  graceSeconds: 30,
  onNotice: () => {},
  onStarted: () => {},
};

/** A child that ends when it is told to, and a process whose signals the test sends. */
function stage(overrides: Partial<Runtime> = {}) {
  const child = Object.assign(new EventEmitter(), { pid: PID, exitCode: null as number | null, signalCode: null });
  const handlers = new Map<string, Set<() => void>>();
  const kills: [number, string | number][] = [];
  const spawns: { args: unknown[]; listeningTo: string[] }[] = [];
  const runtime = fakeRuntime({
    spawn: ((...args: unknown[]) => {
      spawns.push({ args, listeningTo: [...handlers.keys()].sort() });
      return child;
    }) as unknown as typeof spawn,
    kill: (pid, signal) => {
      kills.push([pid, signal]);
      return true;
    },
    onSignal: (signal, handler) => {
      const own = handlers.get(signal) ?? new Set();
      handlers.set(signal, own.add(handler));
      return () => own.delete(handler);
    },
    ...overrides,
  });
  const send = (signal: string): void => {
    for (const handler of handlers.get(signal) ?? []) handler();
  };
  const exit = (code: number): void => {
    child.exitCode = code;
    child.emit("exit", code, null);
  };
  return {
    runtime,
    child,
    kills,
    spawns,
    send,
    exit,
    listeners: () => [...handlers.values()].flatMap((own) => [...own]),
  };
}

const SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"];

describe("runChild", () => {
  it("listens before the command is there, and no longer when it has ended", async () => {
    const { runtime, spawns, exit, listeners } = stage();
    const running = runChild(ORDER, runtime);
    expect(spawns[0]?.listeningTo).toEqual(SIGNALS);
    exit(0);
    await running;
    expect(listeners()).toEqual([]);
  });

  it.each([true, false])(
    "starts the command itself, with argv and environment untouched (terminal: %s)",
    async (hasTerminal) => {
      const { runtime, spawns, exit } = stage({ hasTerminal });
      const running = runChild(ORDER, runtime);
      exit(0);
      await running;
      const options = { argv0: "tool", env: { A: "1" }, cwd: "/", stdio: "inherit", detached: !hasTerminal };
      expect(spawns[0]?.args).toEqual(["/bin/tool", ["a"], options]);
    },
  );

  const STAT = `${PID} (a (b) c) S 1 ${"0 ".repeat(17)}777 0`;
  const starts = [
    { name: "without a terminal", hasTerminal: false, stat: STAT, want: { startedAt: "777", leadsGroup: true } },
    { name: "on a terminal", hasTerminal: true, stat: STAT, want: { startedAt: "777", leadsGroup: false } },
    { name: "where it has ended by then", hasTerminal: false, want: { startedAt: "", leadsGroup: true } },
  ];
  it.each(starts)("tells which process it is, before it is waited for, $name", async ({ hasTerminal, stat, want }) => {
    const readFileSync = ((file: string) => {
      if (file !== `/proc/${PID}/stat` || stat === undefined) throw new Error("ENOENT");
      return stat;
    }) as unknown as typeof fs.readFileSync;
    const { runtime, exit } = stage({ hasTerminal, platform: "linux", fs: { ...fs, readFileSync } });
    const started: unknown[] = [];
    const running = runChild({ ...ORDER, onStarted: (child) => started.push(child) }, runtime);
    expect(started).toEqual([{ pid: PID, ...want }]);
    exit(0);
    await running;
  });

  it.each(SIGNALS)("sends no %s to a pid that was reaped", async (signal) => {
    const { runtime, child, kills, send, exit } = stage();
    const running = runChild(ORDER, runtime);
    send(signal);
    expect(kills).toEqual([[PID, signal]]);
    child.once("exit", () => send(signal));
    exit(0);
    await running;
    expect(kills).toHaveLength(1);
  });

  const LEADER = "99 (a b) S 1 99 99 0";
  const MEMBER = "99 (a b) S 1 99 50 0";
  const hangups = [
    { name: "the terminal has gone with its leader, so that the group got it", stat: MEMBER, terminal: false, want: 0 },
    { name: "the terminal has gone and we lead the session", stat: LEADER, terminal: false, want: 1 },
    { name: "the terminal is there", stat: MEMBER, terminal: true, want: 1 },
    { name: "it cannot be told", stat: MEMBER, terminal: false, platform: "darwin", want: 1 },
  ] as const;
  it.each(hangups)("sends a SIGHUP on $want times when $name", async ({ stat, terminal, want, ...rest }) => {
    const readFileSync = (() => stat) as unknown as typeof fs.readFileSync;
    const platform: NodeJS.Platform = "platform" in rest ? rest.platform : "linux";
    const overrides = { hasTerminal: true, platform, pid: 99, fs: { ...fs, readFileSync } };
    const { runtime, kills, send, exit } = stage(overrides);
    const running = runChild(ORDER, runtime);
    Object.assign(runtime, { hasTerminal: terminal });
    send("SIGHUP");
    exit(0);
    await running;
    expect(kills).toHaveLength(want);
  });

  it.each(["SIGINT", "SIGQUIT"])("leaves %s to the terminal, where there is one", async (signal) => {
    const { runtime, kills, send, exit } = stage({ hasTerminal: true });
    const running = runChild(ORDER, runtime);
    send(signal);
    exit(0);
    await running;
    expect(kills).toEqual([]);
  });

  it("times the command by the wall clock", async () => {
    const times = [1_000, 1_000, 1_000, 5_000];
    const { runtime, exit } = stage({ now: () => times.shift() ?? 5_000 });
    const running = runChild(ORDER, runtime);
    times.length = 0;
    exit(3);
    expect(await running).toEqual({ exitCode: 3, startedAt: 1_000, endedAt: 5_000, stoppedAtExpiry: false });
  });

  const failures = [
    { error: "ENOENT", code: "COMMAND_NOT_FOUND", says: "its interpreter was not found" },
    { error: "ENOEXEC", code: "COMMAND_NOT_EXECUTABLE", says: "it is not a program for this system" },
    { error: "EACCES", code: "COMMAND_NOT_EXECUTABLE", says: "permission denied" },
    { error: "E2BIG", code: "COMMAND_NOT_EXECUTABLE", says: "its arguments and environment are too long" },
    { error: "EAGAIN", code: "COMMAND_NOT_EXECUTABLE", says: "no further process may be started" },
  ];
  describe.each(["thrown", "emitted"] as const)("when the system's refusal is %s", (way) => {
    it.each(failures)("puts $error into words, and stops listening", async ({ error, code, says }) => {
      const refusal = Object.assign(new Error(`spawn ${error}`), { code: error });
      const child = Object.assign(new EventEmitter(), { pid: undefined, exitCode: null, signalCode: null });
      const spawnRefused = (() => {
        if (way === "thrown") throw refusal;
        process.nextTick(() => child.emit("error", refusal));
        return child;
      }) as unknown as typeof spawn;
      const { runtime, listeners } = stage({ spawn: spawnRefused });
      const thrown = await thrownBy(() => runChild(ORDER, runtime));
      expect([thrown.code, thrown.message]).toEqual([code, `cannot execute /bin/tool: ${says}`]);
      expect(thrown.hint).toBeDefined();
      expect(listeners()).toEqual([]);
    });
  });

  it("says so when it is the working directory that has gone", async () => {
    const refused = (() => {
      throw Object.assign(new Error("spawn ENOENT"), { code: "ENOENT" });
    }) as unknown as typeof spawn;
    const thrown = await thrownBy(() =>
      runChild({ ...ORDER, cwd: "/no/such/place" }, stage({ spawn: refused }).runtime),
    );
    expect([thrown.code, thrown.message]).toEqual([
      "COMMAND_NOT_EXECUTABLE",
      "cannot execute /bin/tool: the working directory is gone",
    ]);
  });
});
