import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import type { Sandbox, SandboxHost, SandboxOptions } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";

export const BIN = path.resolve(import.meta.dirname, "../../bin/agentctl.js");
/** The Node that agentctl is run with; another version's in the gate's own step. */
export const NODE = process.env["AGENTCTL_TEST_NODE"] ?? process.execPath;

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string;
  /** In a session of its own, so that the terminal of whoever runs the tests is out of reach. */
  readonly detached?: boolean;
  /** A file descriptor in the place of the pipe. */
  readonly stdout?: number;
}

/** A home of its own, the sandbox, and agentctl run against both; all of it is removed by `close`. */
export interface Stage {
  readonly dir: string;
  readonly stateDir: string;
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  writeConfig(yaml: string): string;
  writeFile(name: string, text: string, mode?: number): string;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  start(args: readonly string[], options?: RunOptions): ChildProcess;
  /** Another program, such as a shell, with the environment that agentctl is given. */
  runIn(file: string, args: readonly string[], options?: RunOptions): Promise<Outcome>;
  auditRecords(): Record<string, unknown>[];
  close(): Promise<void>;
}

export const DEMO_PROFILE = `version: 1
profiles:
  demo:
    ttl: 15m
    aws:
      role_arn: arn:aws:iam::111122223333:role/agentctl-demo
      region: us-east-1
`;

export async function openStage(options: SandboxOptions = {}, host: Partial<SandboxHost> = {}): Promise<Stage> {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-e2e-")));
  const home = path.join(dir, "home");
  fs.mkdirSync(home);
  const sandbox = await startSandbox(options, host);
  const stateDir = path.join(dir, "state");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_CACHE_HOME: sharedCache(),
    AGENTCTL_STATE_DIR: stateDir,
    AGENTCTL_CONFIG: path.join(dir, "agentctl.yaml"),
    ...sandbox.env,
  };
  const writeFile = (name: string, text: string, mode = 0o644): string => {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode });
    return file;
  };
  const startProgram = (file: string, args: readonly string[], run: RunOptions): ChildProcess =>
    spawn(file, args, {
      cwd: run.cwd ?? dir,
      env: definedOnly({ ...env, ...run.env }),
      detached: run.detached === true,
      stdio: ["pipe", run.stdout ?? "pipe", "pipe"],
    });
  const runIn = (file: string, args: readonly string[], run: RunOptions = {}): Promise<Outcome> => {
    const child = startProgram(file, args, run);
    // A program that reads nothing may be gone before it is given its input.
    child.stdin?.on("error", () => {});
    child.stdin?.end(run.input ?? "");
    return outcomeOf(child);
  };
  const start = (args: readonly string[], run: RunOptions = {}): ChildProcess =>
    startProgram(NODE, [BIN, ...args], run);
  return {
    dir,
    stateDir,
    sandbox,
    env,
    writeFile,
    writeConfig: (yaml) => writeFile("agentctl.yaml", yaml),
    start,
    runIn,
    run: (args, run) => runIn(NODE, [BIN, ...args], run),
    auditRecords: () => readJsonLines(path.join(stateDir, "audit/audit.jsonl")),
    close: async () => {
      await sandbox.close();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** One of test/e2e/programs with its SDK in one file: it starts in a tenth of the time. Answers the file. */
export async function bundleProgram(name: string, dir: string): Promise<string> {
  const outfile = path.join(dir, name);
  const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' };
  const entryPoints = [path.resolve(import.meta.dirname, "programs", name)];
  await build({ entryPoints, outfile, banner, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  return outfile;
}

/** Tries until `probe` answers something other than undefined or false; a test's own time-out is the bound. */
export async function eventually<T>(probe: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The compiled-code cache is shared by the tests of a machine, as it is by the runs of a user. */
function sharedCache(): string {
  return path.resolve(import.meta.dirname, "../../.cache/test-code");
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function readJsonLines(file: string): Record<string, unknown>[] {
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
