import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, describeProcess, heardBy, isRunning, noticesOf, poll } from "./harness.js";

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const [CTRL_C, CTRL_BACKSLASH, CTRL_Z] = ["\x03", "\x1c", "\x1a"];

describe("on a terminal", () => {
  it("shares its process group with the command, and leaves it the terminal", async () => {
    const log = bench.file("log");
    const run = bench.onTerminal({ argv: bench.recorder({ log, exitOn: { SIGUSR1: 5 } }) });
    const child = await bench.recorderPid(log);
    expect(describeProcess(child)?.group).toBe(describeProcess(await run.pid())?.group);
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(5);
    const reader = bench.onTerminal({ argv: ["sh", "-c", 'test -t 0 && test -t 1 && read -r x && echo "got $x"'] });
    reader.terminal.write("word\r");
    expect(await reader.exited).toBe(0);
    expect(reader.output()).toContain("got word");
  });

  const keys = [
    { name: "Ctrl-C", key: CTRL_C, signal: "SIGINT" },
    { name: "Ctrl-\\", key: CTRL_BACKSLASH, signal: "SIGQUIT" },
  ] as const;
  it.each(keys)("$name reaches the command exactly once, from the terminal", async ({ key, signal }) => {
    const log = bench.file("log");
    const run = bench.onTerminal({ argv: bench.recorder({ log, traps: [signal], exitOn: { SIGUSR1: 5 } }) });
    await bench.recorderPid(log);
    run.terminal.write(key);
    await poll(() => bench.signals(log).includes(signal) && heardBy(run).includes(signal), signal);
    process.kill(await run.pid(), "SIGUSR1");
    expect(await run.exited).toBe(5);
    expect(bench.signals(log)).toEqual([signal, "SIGUSR1"]);
    expect(noticesOf(run)).toEqual([]);
  });

  it("ends as the command does when Ctrl-C ends it", async () => {
    const log = bench.file("log");
    const run = bench.onTerminal({ argv: bench.recorder({ log }) });
    await bench.recorderPid(log);
    run.terminal.write(CTRL_C);
    expect(await run.exited).toBe(130);
  });

  it("kills the command and what it started at the third Ctrl-C, and says so at the second", async () => {
    const [log, below] = [bench.file("log"), bench.file("below")];
    const traps = ["SIGINT"] as const;
    const run = bench.onTerminal({ argv: bench.recorder({ log, traps, child: { log: below, traps } }) });
    await bench.recorderPid(log);
    const grandchild = await bench.recorderPid(below);
    for (const count of [1, 2]) {
      run.terminal.write(CTRL_C);
      // Both must have seen it: a second signal of a kind is lost while the first is pending.
      const bothSawIt = (): boolean => [heardBy(run), bench.signals(log)].every((seen) => seen.length === count);
      await poll(bothSawIt, `Ctrl-C number ${count}`);
    }
    expect(noticesOf(run)).toEqual([expect.stringContaining("once more within 10s")]);
    run.terminal.write(CTRL_C);
    expect(await run.exited).toBe(137);
    await poll(() => !isRunning(grandchild), "the grandchild's death");
  });

  it.each(["SIGTERM", "SIGHUP", "SIGUSR2"] as const)(
    "hands on a %s that was sent to agentctl alone",
    async (signal) => {
      const log = bench.file("log");
      // Below a shell, as it is in use: agentctl does not lead the session.
      const run = bench.onTerminal({ argv: bench.recorder({ log, exitOn: { [signal]: 5 } }) }, '"$@"; exit $?');
      await bench.recorderPid(log);
      process.kill(await run.pid(), signal);
      expect(await run.exited).toBe(5);
      expect(bench.signals(log)).toEqual([signal]);
    },
  );

  it("stops and goes on with the command at Ctrl-Z and fg", async () => {
    const log = bench.file("log");
    const script = 'set -m; "$@"; echo "[stopped]"; fg >/dev/null; exit $?';
    const run = bench.onTerminal({ argv: bench.recorder({ log, exitOn: { SIGUSR1: 5 } }) }, script);
    const child = await bench.recorderPid(log);
    const pid = await run.pid();
    run.terminal.write(CTRL_Z);
    await poll(
      () => [child, pid].every((each) => describeProcess(each)?.state === "T") || run.output().includes("[stopped]"),
      "both to stop",
    );
    await poll(() => run.output().includes("[stopped]"), "the shell to see it");
    await poll(() => [child, pid].every((each) => describeProcess(each)?.state !== "T"), "both to go on");
    process.kill(pid, "SIGUSR1");
    expect(await run.exited).toBe(5);
  });

  const leaders = [
    { name: "agentctl leads the session", script: undefined },
    { name: "a shell does", script: '"$@"; exit $?' },
  ];
  it.each(leaders)("the command gets SIGHUP when the window closes and $name", async ({ script }) => {
    const log = bench.file("log");
    const run = bench.onTerminal({ argv: bench.recorder({ log, exitOn: { SIGHUP: 5 } }) }, script);
    const child = await bench.recorderPid(log);
    const pid = await run.pid();
    closeWindow(run.terminal);
    await poll(() => !isRunning(child) && !isRunning(pid), "both to end");
    expect(bench.signals(log)).toEqual(["SIGHUP"]);
  });

  it.runIf(process.platform === "linux")(
    "a closed window's SIGHUP, which the whole group gets, is not doubled",
    async () => {
      const log = bench.file("log");
      const run = bench.onTerminal(
        { argv: bench.recorder({ log, traps: ["SIGHUP"], exitOn: { SIGUSR1: 5 } }) },
        '"$@"; exit $?',
      );
      await bench.recorderPid(log);
      const pid = await run.pid();
      closeWindow(run.terminal);
      await poll(() => bench.signals(log).includes("SIGHUP"), "SIGHUP");
      process.kill(pid, "SIGUSR1");
      await poll(() => !isRunning(pid), "agentctl to end");
      expect(bench.signals(log)).toEqual(["SIGHUP", "SIGUSR1"]);
    },
  );
});

/** The master's end goes away, as it does when a terminal emulator is closed; nobody is signalled but by the kernel. */
function closeWindow(terminal: object): void {
  (terminal as { _socket: { destroy(): void } })._socket.destroy();
}
