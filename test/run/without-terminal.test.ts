import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readStartedAt } from "../../src/core/process-list.js";
import { fakeRuntime } from "../fake-runtime.js";
import { Bench, describeProcess, isRunning, noticesOf, poll, resultOf } from "./harness.js";

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const FORWARDED = ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGINT"] as const;

describe("the exit status", () => {
  const cases: { name: string; script: string; want: { exitCode: number; signal?: string } }[] = [
    { name: "success", script: "exit 0", want: { exitCode: 0 } },
    { name: "a failure", script: "exit 3", want: { exitCode: 3 } },
    { name: "a code that agentctl uses as well", script: "exit 77", want: { exitCode: 77 } },
    { name: "death by SIGTERM", script: "kill -TERM $$", want: { exitCode: 143, signal: "SIGTERM" } },
    { name: "death by SIGKILL", script: "kill -KILL $$", want: { exitCode: 137, signal: "SIGKILL" } },
    { name: "death by SIGINT", script: "kill -INT $$", want: { exitCode: 130, signal: "SIGINT" } },
  ];
  it.each(cases)("is the command's own: $name", async ({ script, want }) => {
    const run = bench.withoutTerminal({ argv: ["sh", "-c", script] });
    expect(await run.exited).toBe(want.exitCode);
    expect(resultOf(run)).toMatchObject({ ...want, stoppedAtExpiry: false });
    expect(resultOf(run)?.signal).toBe(want.signal);
  });

  it("does not wait for a background process that holds the output, and leaves it alone", async () => {
    const log = bench.file("log");
    const run = bench.withoutTerminal({ argv: ["sh", "-c", '"$@" & exit 4', "sh", ...bench.recorder({ log })] });
    expect(await run.exited).toBe(4);
    expect(isRunning(await bench.recorderPid(log))).toBe(true);
  });

  it("tells by pid and start which process the command is", async () => {
    const log = bench.file("log");
    const run = bench.withoutTerminal({ argv: bench.recorder({ log, exitOn: { SIGUSR1: 5 } }) });
    const pid = await bench.recorderPid(log);
    const startedAt = readStartedAt(pid, fakeRuntime());
    expect(startedAt).not.toBe("");
    const started = await poll(() => run.reports().find((report) => report.started)?.started, "the report");
    expect(started).toEqual({ pid, startedAt, leadsGroup: true });
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(5);
  });

  it("gives the command its own stdin, stdout, stderr, arguments and environment", async () => {
    const run = bench.withoutTerminal({
      argv: ["sh", "-c", 'echo "[$0] [$1] [$X]"; echo oops >&2', "a b", "*"],
      env: { PATH: process.env["PATH"] ?? "", X: "1 2" },
    });
    await run.exited;
    await poll(() => run.output().includes("oops"), "the output");
    expect(run.output()).toContain("[a b] [*] [1 2]\n");
  });
});

describe("a signal to agentctl", () => {
  it.each(FORWARDED)("%s reaches the command once", async (signal) => {
    const log = bench.file("log");
    const other = signal === "SIGUSR1" ? "SIGUSR2" : "SIGUSR1";
    const run = bench.withoutTerminal({ argv: bench.recorder({ log, traps: [signal], exitOn: { [other]: 5 } }) });
    const child = await bench.recorderPid(log);
    expect(describeProcess(child)?.group).toBe(child);
    process.kill(await run.pid(), signal);
    await poll(() => bench.signals(log).includes(signal), signal);
    process.kill(await run.pid(), other);
    expect(await run.exited).toBe(5);
    expect(bench.signals(log)).toEqual([signal, other]);
  });

  it("is not sent on when it is none of those", async () => {
    const log = bench.file("log");
    const traps = ["SIGURG", "SIGWINCH", "SIGCONT"] as const;
    const run = bench.withoutTerminal({ argv: bench.recorder({ log, traps, exitOn: { SIGUSR1: 6 } }) });
    await bench.recorderPid(log);
    for (const signal of traps) process.kill(await run.pid(), signal);
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(6);
    expect(bench.signals(log)).toEqual(["SIGUSR1"]);
  });

  it("is neither lost nor deadly when it comes just before the command is there", async () => {
    const run = bench.withoutTerminal({ argv: ["sh", "-c", "while :; do :; done"], signalBeforeSpawn: "SIGTERM" });
    expect(await run.exited).toBe(143);
    expect(resultOf(run)?.signal).toBe("SIGTERM");
  });

  it("never becomes a SIGKILL, however often it comes", async () => {
    const log = bench.file("log");
    const run = bench.withoutTerminal({ argv: bench.recorder({ log, traps: ["SIGTERM"], exitOn: { SIGUSR1: 8 } }) });
    await bench.recorderPid(log);
    for (let count = 1; count <= 5; count += 1) {
      process.kill(await run.pid(), "SIGTERM");
      await poll(() => bench.signals(log).length === count, `SIGTERM number ${count}`);
    }
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(8);
    expect(noticesOf(run)).toEqual([]);
  });

  it("ends the command and what it started when it is the third SIGINT, and the second says so", async () => {
    const [log, below] = [bench.file("log"), bench.file("below")];
    const traps = ["SIGINT"] as const;
    const run = bench.withoutTerminal({ argv: bench.recorder({ log, traps, child: { log: below, traps } }) });
    await bench.recorderPid(log);
    const grandchild = await bench.recorderPid(below);
    for (const count of [1, 2]) {
      process.kill(await run.pid(), "SIGINT");
      await poll(() => bench.signals(log).length === count, `SIGINT number ${count}`);
    }
    expect(noticesOf(run)).toEqual([expect.stringContaining("once more within 10s")]);
    process.kill(await run.pid(), "SIGINT");
    expect(await run.exited).toBe(137);
    expect(noticesOf(run)).toHaveLength(2);
    await poll(() => !isRunning(grandchild), "the grandchild's death");
  });

  it("does not count SIGINTs that are far apart", async () => {
    const log = bench.file("log");
    const run = bench.withoutTerminal({ argv: bench.recorder({ log, traps: ["SIGINT"], exitOn: { SIGUSR1: 9 } }) });
    await bench.recorderPid(log);
    for (let count = 1; count <= 4; count += 1) {
      run.advanceClock(count * 11_000);
      process.kill(await run.pid(), "SIGINT");
      await poll(() => bench.signals(log).length === count, `SIGINT number ${count}`);
    }
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(9);
    expect(noticesOf(run)).toEqual([]);
  });
});

describe("a command that cannot be started after all", () => {
  const cases = [
    { name: "its interpreter is missing", text: "#!/no/such/interpreter\n", exit: 127, error: "COMMAND_NOT_FOUND" },
    { name: "its interpreter is a directory", text: "#!/\n", exit: 126, error: "COMMAND_NOT_EXECUTABLE" },
  ];
  it.each(cases)("is told from one that failed: $name", async ({ text, exit, error }) => {
    const file = bench.file("program");
    writeFileSync(file, text, { mode: 0o755 });
    const run = bench.withoutTerminal({ argv: [file] });
    expect(await run.exited).toBe(exit);
    expect(run.reports()[1]).toMatchObject({ error, message: expect.stringContaining(file) });
  });

  it("is told from one that failed: its environment is too long", async () => {
    const run = bench.withoutTerminal({
      argv: ["true"],
      env: { PATH: process.env["PATH"] ?? "", HUGE: "x".repeat(2 * 1024 * 1024) },
    });
    expect(await run.exited).toBe(126);
    expect(run.reports()[1]).toMatchObject({ error: "COMMAND_NOT_EXECUTABLE" });
  });
});
