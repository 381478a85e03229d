import fs from "node:fs";
import path from "node:path";
import { spawn as spawnOnTerminal } from "@lydell/node-pty";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeProcess, isRunning, poll, type RecorderSpec } from "../run/harness.js";
import { BIN, DEMO_PROFILE, NODE, openStage, outcomeOf, type Stage } from "./agentctl.js";

const RECORDER = path.resolve(import.meta.dirname, "../run/recorder.mjs");
const PROFILES = `${DEMO_PROFILE}
  stopped: { extends: demo, ttl: 4s, on_expiry: stop, grace: 1s }
  warned: { extends: demo, ttl: 4s, on_expiry: warn }
`;

let stage: Stage;
let count = 0;
const started = new Set<number>();

beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(PROFILES);
});
/** What a failed test left running, by the pids it wrote down. */
afterEach(() => {
  for (const pid of started) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  started.clear();
});
afterAll(() => stage.close());

function newFile(name: string): string {
  count += 1;
  return path.join(stage.dir, `${count}-${name}`);
}

const recorder = (spec: RecorderSpec): string[] => [process.execPath, RECORDER, JSON.stringify(spec)];

function linesOf(file: string): string[] {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}

const signalsOf = (log: string): string[] => linesOf(log).filter((line) => !line.startsWith("pid "));

/** The pid that a command wrote down once it was ready. */
async function pidIn(file: string): Promise<number> {
  const line = await poll(() => linesOf(file).find((text) => /^(pid )?\d+$/.test(text)), `a pid in ${file}`);
  const pid = Number(line.replace("pid ", ""));
  started.add(pid);
  return pid;
}

/** agentctl without a terminal, its stderr as it grows, and its end. */
function startRun(profile: string, command: readonly string[], env?: Readonly<Record<string, string>>) {
  const child = stage.start(["run", "-p", profile, "--", ...command], { detached: true, ...(env && { env }) });
  const pid = child.pid ?? 0;
  started.add(pid);
  let heard = "";
  child.stderr?.on("data", (text) => {
    heard += String(text);
  });
  child.stdin?.end();
  return { pid, stderr: () => heard, ended: outcomeOf(child) };
}

/** Its grants are ended, its files are gone, and the record has the exit. */
function expectClosed(child: { readonly exitCode: number; readonly signal?: string; readonly stoppedAtExpiry?: true }) {
  for (const dir of ["leases", "run"]) expect(fs.readdirSync(path.join(stage.stateDir, dir))).toEqual([]);
  const [start, end] = stage.auditRecords().slice(-2);
  expect(start).toMatchObject({ kind: "lease.start" });
  expect(end).toMatchObject({ kind: "lease.end", lease: start?.["lease"], endings: [{ cloud: "aws" }] });
  expect(end?.["child"]).toEqual({ ...child, endedAt: expect.stringMatching(/^\d{4}-.*Z$/) });
}

describe("a signal to agentctl, off a terminal", () => {
  test.each(["SIGTERM", "SIGHUP", "SIGUSR1"] as const)("%s reaches the command once", async (signal) => {
    const log = newFile("log");
    const run = startRun("demo", recorder({ log, traps: [signal], exitOn: { SIGUSR2: 5 } }));
    const child = await pidIn(log);
    expect(describeProcess(child)?.group).toBe(child);
    process.kill(run.pid, signal);
    await poll(() => signalsOf(log).includes(signal), signal);
    process.kill(run.pid, "SIGUSR2");
    expect(await run.ended).toMatchObject({ code: 5, signal: null });
    expect(signalsOf(log)).toEqual([signal, "SIGUSR2"]);
    expectClosed({ exitCode: 5 });
  });

  test("a command that ignores SIGINT is killed by the third, with what it started, and that is said before", async () => {
    const [log, below] = [newFile("log"), newFile("below")];
    const traps = ["SIGINT"] as const;
    const run = startRun("demo", recorder({ log, traps, child: { log: below, traps } }));
    await pidIn(log);
    const grandchild = await pidIn(below);
    for (const times of [1, 2]) {
      process.kill(run.pid, "SIGINT");
      await poll(() => signalsOf(log).length === times, `SIGINT number ${times}`);
    }
    await poll(() => run.stderr().includes("interrupt once more within 10s to kill the command"), "the warning");
    process.kill(run.pid, "SIGINT");
    expect(await run.ended).toMatchObject({ code: 137, signal: null });
    expect(run.stderr()).toContain("agentctl: interrupted three times: killing the command (SIGKILL)\n");
    await poll(() => !isRunning(grandchild), "the grandchild's death");
    expectClosed({ exitCode: 137, signal: "SIGKILL" });
  });
});

describe("on a terminal", () => {
  test("the command shares the group, and Ctrl-C reaches it once", async () => {
    const log = newFile("log");
    const command = recorder({ log, traps: ["SIGINT"], exitOn: { SIGUSR2: 5 } });
    const args = [BIN, "run", "-p", "demo", "--", ...command];
    const terminal = spawnOnTerminal(NODE, args, { cwd: stage.dir, env: { ...stage.env } });
    started.add(terminal.pid);
    const exited = new Promise((resolve) => terminal.onExit(resolve));
    const child = await pidIn(log);
    expect(describeProcess(child)?.group).toBe(describeProcess(terminal.pid)?.group);
    terminal.write("\x03");
    await poll(() => signalsOf(log).includes("SIGINT"), "SIGINT");
    process.kill(terminal.pid, "SIGUSR2");
    expect(await exited).toMatchObject({ exitCode: 5 });
    expect(signalsOf(log)).toEqual(["SIGINT", "SIGUSR2"]);
    expectClosed({ exitCode: 5 });
  });
});

describe("at the end of the lease", () => {
  test.each([
    { name: "ends when it is told to", trap: "", code: 143, signal: "SIGTERM" },
    { name: "is killed when it does not", trap: "trap '' TERM; ", code: 137, signal: "SIGKILL" },
  ])("on_expiry: stop: a command $name, with what it started", async ({ trap, code, signal }) => {
    const file = newFile("below");
    const run = startRun("stopped", ["sh", "-c", `${trap}sleep 60 & echo $! > ${file}; wait`]);
    const grandchild = await pidIn(file);
    expect(await run.ended).toMatchObject({ code, signal: null });
    expect(run.stderr()).toMatch(
      /^agentctl: the lease ended at \S+Z: stopping the command \(SIGTERM; SIGKILL in 1s\)$/m,
    );
    expect(run.stderr().includes("killing it")).toBe(signal === "SIGKILL");
    await poll(() => !isRunning(grandchild), "the grandchild's death");
    expectClosed({ exitCode: code, signal, stoppedAtExpiry: true });
  });

  test("on_expiry: warn: one line, and the command goes on", async () => {
    const go = newFile("go");
    const run = startRun("warned", ["sh", "-c", `while [ ! -e ${go} ]; do sleep 0.1; done; exit 4`]);
    await poll(() => run.stderr().includes("the command goes on"), "the warning");
    fs.writeFileSync(go, "");
    expect(await run.ended).toMatchObject({ code: 4, signal: null });
    expect(run.stderr().match(/the lease ended/g)).toHaveLength(1);
    expectClosed({ exitCode: 4 });
  });
});

test.each([
  { signal: "SIGKILL", code: 137 },
  { signal: "SIGSEGV", code: 139 },
  { signal: "SIGTERM", code: 143 },
])("a command that $signal ends is told as $code, and which signal is on record", async ({ signal, code }) => {
  const run = startRun("demo", ["sh", "-c", `kill -${signal.slice(3)} $$`]);
  expect(await run.ended).toMatchObject({ code, signal: null });
  expectClosed({ exitCode: code, signal });
});

test("agentctl killed by SIGKILL: its watchdog ends the command and the lease, and the next run works", async () => {
  const log = newFile("log");
  const env = { AGENTCTL_STATE_DIR: newFile("state") };
  const run = startRun("demo", recorder({ log }), env);
  const child = await pidIn(log);
  process.kill(run.pid, "SIGKILL");
  // The watchdog holds stderr open for as long as it has something to do.
  expect(await run.ended).toMatchObject({ code: null, signal: "SIGKILL" });
  expect(isRunning(child)).toBe(false);
  expect(run.stderr()).toMatch(/^agentctl: lease l-\w{16} on demo: aws: fenced at \d{4}-\S+Z/m);
  expect(await stage.run(["lease", "list"], { env })).toMatchObject({
    stdout: "",
    stderr: "agentctl: no open leases\n",
  });

  expect(await stage.run(["run", "-p", "demo", "--quiet", "--", "true"], { env })).toMatchObject({
    code: 0,
    stderr: "",
  });
  expect((await stage.run(["audit", "verify"], { env })).stdout).toMatch(/^ok: 4 records, /);
});
