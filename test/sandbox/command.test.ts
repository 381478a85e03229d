import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { registerSandbox } from "../../src/cli/sandbox.js";
import type { Runtime } from "../../src/core/runtime.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";

let dir: string;
beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-sandbox-command-")));
  fs.mkdirSync(path.join(dir, "tmp"));
  fs.mkdirSync(path.join(dir, "work/.git"), { recursive: true });
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

type Signals = Map<NodeJS.Signals, Set<() => void>>;

function makeRuntime(overrides: Partial<Runtime> = {}): { runtime: FakeRuntime; signals: Signals } {
  const signals: Signals = new Map();
  const runtime = fakeRuntime({
    cwd: path.join(dir, "work"),
    onSignal: (signal, handler) => {
      const handlers = signals.get(signal) ?? new Set();
      signals.set(signal, handlers.add(handler));
      return () => handlers.delete(handler);
    },
    ...overrides,
    env: { PATH: process.env["PATH"], TMPDIR: path.join(dir, "tmp"), ...overrides.env },
  });
  return { runtime, signals };
}

async function runSandbox(runtime: Runtime, ...args: readonly string[]): Promise<number | undefined> {
  const program = new Command("agentctl").enablePositionalOptions().exitOverride();
  let exitCode: number | undefined;
  registerSandbox(program, {
    runtime,
    exit: (code) => {
      exitCode = code;
    },
  });
  await program.parseAsync(["sandbox", ...args], { from: "user" });
  return exitCode;
}

/** A command that writes what it finds in its environment, as JSON, to `seen.json`. */
const SHOW_ENV = [
  "--",
  process.execPath,
  "-e",
  "require('fs').writeFileSync(process.env.SEEN, JSON.stringify(process.env))",
];

async function environmentOfCommand(overrides: Partial<Runtime> = {}): Promise<Record<string, string>> {
  const seen = path.join(dir, "seen.json");
  const { runtime } = makeRuntime({ ...overrides, env: { SEEN: seen, ...overrides.env } });
  expect(await runSandbox(runtime, ...SHOW_ENV)).toBe(0);
  return JSON.parse(fs.readFileSync(seen, "utf8")) as Record<string, string>;
}

async function eventually<T>(probe: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("agentctl sandbox -- COMMAND", () => {
  it.each([
    { name: "an exit code", script: "exit 7", want: 7 },
    { name: "success", script: "exit 0", want: 0 },
    { name: "death by signal", script: "kill -TERM $$", want: 143 },
  ])("passes on $name", async ({ script, want }) => {
    const { runtime } = makeRuntime();
    expect(await runSandbox(runtime, "--", "sh", "-c", script)).toBe(want);
    expect(fs.readdirSync(path.join(dir, "tmp"))).toEqual([]);
  });

  it("says in one line what it holds, and nothing with --quiet", async () => {
    const [loud, quiet] = [makeRuntime().runtime, makeRuntime().runtime];
    await runSandbox(loud, "--", "true");
    await runSandbox(quiet, "--quiet", "--", "true");
    expect(loud.stderr.text()).toMatch(
      /^agentctl: sandbox: .*; AWS \(3 roles\), Azure \(4 applications\), Google Cloud \(3 service accounts\)\n$/,
    );
    expect(quiet.stderr.text()).toBe("");
  });

  it.each([
    { name: "a command that is not there", command: "no-such-command", want: "COMMAND_NOT_FOUND" },
    { name: "a command that cannot be executed", command: os.tmpdir(), want: "COMMAND_NOT_EXECUTABLE" },
  ])("refuses $name, and leaves nothing behind", async ({ command, want }) => {
    await expect(runSandbox(makeRuntime().runtime, "--", command)).rejects.toMatchObject({ code: want });
    expect(fs.readdirSync(path.join(dir, "tmp"))).toEqual([]);
  });

  it("refuses a temporary directory that is not there", async () => {
    const { runtime } = makeRuntime({ env: { TMPDIR: path.join(dir, "none") } });
    await expect(runSandbox(runtime, "--", "true")).rejects.toMatchObject({ code: "STATE_UNWRITABLE" });
  });

  it("holds what a world file says", async () => {
    fs.writeFileSync(path.join(dir, "work/world.yaml"), "roles: {}");
    const { runtime } = makeRuntime();
    await runSandbox(runtime, "--world", "world.yaml", "--", "true");
    expect(runtime.stderr.text()).toContain("; AWS (0 roles)");
  });

  it("offers a sample profile where there is no configuration", async () => {
    const env = await environmentOfCommand();
    expect(env["AGENTCTL_CONFIG"]).toMatch(/agentctl-sandbox-\w+\/agentctl\.yaml$/);
    expect(env["AWS_ENDPOINT_URL_S3"]).toMatch(/^https:\/\/127\.0\.0\.1:/);
  });

  it("leaves a configuration of the user's alone", async () => {
    const env = await environmentOfCommand({ env: { AGENTCTL_CONFIG: "/mine.yaml" } });
    expect(env["AGENTCTL_CONFIG"]).toBe("/mine.yaml");
  });

  it("leaves the project's configuration alone, found upwards as run does", async () => {
    fs.mkdirSync(path.join(dir, "work/deep/er"), { recursive: true });
    fs.writeFileSync(path.join(dir, "work/agentctl.yaml"), "version: 1\n");
    const cwd = path.join(dir, "work/deep/er");
    expect((await environmentOfCommand({ cwd }))["AGENTCTL_CONFIG"]).toBeUndefined();
    // Outside a repository `run` looks no further than here, so that the sample is of use.
    fs.rmdirSync(path.join(dir, "work/.git"));
    expect((await environmentOfCommand({ cwd }))["AGENTCTL_CONFIG"]).toMatch(/agentctl-sandbox-\w+\/agentctl\.yaml$/);
  });

  it.each([
    { name: "SIGTERM", signal: "SIGTERM", hasTerminal: true, want: 43 },
    { name: "SIGINT off a terminal", signal: "SIGINT", hasTerminal: false, want: 42 },
    { name: "no SIGINT that the terminal has delivered itself", signal: "SIGINT", hasTerminal: true, want: 0 },
  ] as const)("forwards $name", async ({ signal, hasTerminal, want }) => {
    const { runtime, signals } = makeRuntime({ hasTerminal });
    const ready = path.join(dir, "ready");
    const go = path.join(dir, "go");
    const script = `trap 'exit 42' INT; trap 'exit 43' TERM; : > ${ready}; while [ ! -e ${go} ]; do sleep 0.05; done; exit 0`;
    const running = runSandbox(runtime, "--", "sh", "-c", script);
    await eventually(() => fs.existsSync(ready));
    for (const handler of signals.get(signal) ?? []) handler();
    if (want === 0) fs.writeFileSync(go, "");
    expect(await running).toBe(want);
  });
});

describe("agentctl sandbox", () => {
  it("serves until a signal, shows what it holds, and keeps the request token off the screen", async () => {
    const { runtime, signals } = makeRuntime();
    const running = runSandbox(runtime);
    const envFile = await eventually(() => /^ {2}\. (\S+)$/m.exec(runtime.stdout.text())?.[1]);
    const env = fs.readFileSync(envFile, "utf8");
    expect(fs.statSync(envFile).mode & 0o777).toBe(0o600);
    const token = /ACTIONS_ID_TOKEN_REQUEST_TOKEN='(\S+)'/.exec(env)?.[1] ?? "";
    expect(token.length).toBeGreaterThan(30);
    expect(runtime.stdout.text()).not.toContain(token);
    expect(runtime.stdout.text()).toContain("arn:aws:iam::111122223333:role/agentctl-demo");
    for (const handler of signals.get("SIGINT") ?? []) handler();
    expect(await running).toBe(0);
    expect(fs.readdirSync(path.join(dir, "tmp"))).toEqual([]);
  });
});
