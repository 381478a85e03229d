import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type IPty, spawn as spawnOnTerminal } from "@lydell/node-pty";
import type { ChildResult } from "../../src/core/lease.js";
import { type CommandProcess, readStat } from "../../src/core/process-list.js";
import { bundleWorker } from "../core/bundle-worker.js";
import type { SupervisorSpec } from "./supervisor.js";

export interface RecorderSpec {
  readonly log: string;
  readonly traps?: readonly NodeJS.Signals[];
  readonly exitOn?: Readonly<Partial<Record<NodeJS.Signals, number>>>;
  readonly startOn?: Readonly<Partial<Record<NodeJS.Signals, RecorderSpec>>>;
  readonly child?: RecorderSpec;
  /** Of one that another recorder starts; else its own. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Report {
  readonly pid?: number;
  /** A signal that the supervisor got. */
  readonly heard?: NodeJS.Signals;
  readonly notice?: string;
  readonly started?: CommandProcess;
  readonly result?: ChildResult;
  readonly error?: string;
  readonly message?: string;
}

export interface Recorder {
  readonly log: string;
  readonly pid: number;
  readonly exited: Promise<void>;
}

/** A supervisor under test, in a terminal or without one. */
export interface Supervised {
  readonly reports: () => Report[];
  /** The supervisor's own pid, once it has begun. */
  readonly pid: () => Promise<number>;
  readonly advanceClock: (ms: number) => void;
  /** Revokes the lease, as another process does. */
  readonly revoke: () => void;
  /** The exit code of the process that was started. */
  readonly exited: Promise<number>;
  readonly output: () => string;
  /** Only on a terminal. */
  readonly terminal: IPty;
}

type Launch = (file: string, args: readonly string[]) => Pick<Supervised, "exited" | "output" | "terminal">;

const RECORDER = path.join(import.meta.dirname, "recorder.mjs");
const SUPERVISOR = path.join(import.meta.dirname, "supervisor.ts");

/** A scratch directory, the bundled supervisor, and everything that was started in it. */
export class Bench {
  readonly dir: string;
  readonly #bundle: string;
  readonly #pids = new Set<number>();
  readonly #terminals: IPty[] = [];
  #count = 0;

  private constructor(dir: string, bundle: string) {
    this.dir = dir;
    this.#bundle = bundle;
  }

  static async open(): Promise<Bench> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-run-"));
    return new Bench(dir, await bundleWorker(SUPERVISOR, dir));
  }

  /** Kills what a failed test left, by the pids it wrote down, and removes the directory. */
  close(): void {
    for (const terminal of this.#terminals) terminal.kill("SIGKILL");
    for (const pid of this.#pids) if (isRunning(pid)) process.kill(pid, "SIGKILL");
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  file(name: string): string {
    this.#count += 1;
    return path.join(this.dir, `${this.#count}-${name}`);
  }

  /** argv of a command that writes down what happens to it. */
  recorder(spec: RecorderSpec): [string, ...string[]] {
    return [process.execPath, RECORDER, JSON.stringify(spec)];
  }

  /** A recorder that nobody supervises, with nothing but `env`, in a process group and a session of its own. */
  async start(spec: Omit<RecorderSpec, "log">, env: Readonly<Record<string, string>> = {}): Promise<Recorder> {
    const log = this.file("log");
    const [file, ...args] = this.recorder({ log, ...spec });
    const child = spawn(file, args, { env, detached: true, stdio: "ignore" });
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    return { log, pid: await this.recorderPid(log), exited };
  }

  /** The lines that a recorder has written, without the one with its pid. */
  signals(log: string): string[] {
    return readLines(log).filter((line) => !line.startsWith("pid "));
  }

  /** A recorder's pid, once it is ready for signals. */
  async recorderPid(log: string): Promise<number> {
    const line = await poll(() => readLines(log).find((text) => text.startsWith("pid ")), `a recorder to begin`);
    const pid = Number(line.slice(4));
    this.#pids.add(pid);
    return pid;
  }

  /** Starts the supervisor in a session of its own, so that no terminal of whoever runs the tests is in reach. */
  withoutTerminal(spec: Partial<SupervisorSpec> & Pick<SupervisorSpec, "argv">): Supervised {
    return this.#supervise(spec, (file, args) => {
      const child = spawn(file, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
      return { ...collect(child), terminal: undefined as unknown as IPty };
    });
  }

  /** Starts the supervisor as the leader of a new terminal's session, or below `sh -c SCRIPT`, which runs it as "$@". */
  onTerminal(spec: Partial<SupervisorSpec> & Pick<SupervisorSpec, "argv">, script?: string): Supervised {
    return this.#supervise(spec, (file, args) => {
      const [leader, leaderArgs] = script === undefined ? [file, args] : ["sh", ["-c", script, "sh", file, ...args]];
      const terminal = spawnOnTerminal(leader, [...leaderArgs], { cwd: this.dir });
      this.#terminals.push(terminal);
      let output = "";
      terminal.onData((data) => {
        output += data;
      });
      const exited = new Promise<number>((resolve) => {
        terminal.onExit(({ exitCode, signal }) =>
          resolve(signal === undefined || signal === 0 ? exitCode : 128 + signal),
        );
      });
      return { exited, output: () => output, terminal };
    });
  }

  #supervise(spec: Partial<SupervisorSpec> & Pick<SupervisorSpec, "argv">, launch: Launch): Supervised {
    const clockFile = this.file("clock");
    const reportFile = this.file("report");
    const revocationFile = this.file("revocation");
    const advanceClock = (ms: number): void => {
      fs.writeFileSync(`${clockFile}.new`, String(ms));
      fs.renameSync(`${clockFile}.new`, clockFile);
    };
    advanceClock(0);
    const whole: SupervisorSpec = {
      env: { PATH: process.env["PATH"] ?? "" },
      deadlineInMs: 3_600_000,
      onExpiry: "warn",
      graceSeconds: 30,
      clockFile,
      revocationFile,
      reportFile,
      ...spec,
    };
    const specFile = this.file("spec");
    fs.writeFileSync(specFile, JSON.stringify(whole));
    const started = launch(process.execPath, [this.#bundle, specFile]);
    const reports = (): Report[] => readLines(reportFile).map((line) => JSON.parse(line) as Report);
    const pid = async (): Promise<number> => {
      const found = await poll(
        () => reports().find((report) => report.pid !== undefined)?.pid,
        "the supervisor to begin",
      );
      this.#pids.add(found);
      return found;
    };
    return { ...started, reports, pid, advanceClock, revoke: () => fs.writeFileSync(revocationFile, "") };
  }
}

/** Looks again and again until there is an answer; fails after 20 seconds with what was awaited. */
export async function poll<T>(look: () => T | undefined | false, what: string): Promise<T> {
  const failAt = Date.now() + 20_000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > failAt) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

export function resultOf(supervised: Supervised): ChildResult | undefined {
  return supervised.reports().find((report) => report.result !== undefined)?.result;
}

export function noticesOf(supervised: Supervised): string[] {
  return supervised.reports().flatMap((report) => report.notice ?? []);
}

export function heardBy(supervised: Supervised): NodeJS.Signals[] {
  return supervised.reports().flatMap((report) => report.heard ?? []);
}

/** The state letter and the process group, as the system tells them; undefined when there is no such process. */
export function describeProcess(pid: number): { readonly state: string; readonly group: number } | undefined {
  if (process.platform === "linux") {
    const stat = readStat(String(pid), fs);
    return stat && { state: stat[0] ?? "", group: Number(stat[2]) };
  }
  try {
    const [state, group] = execFileSync("/bin/ps", ["-o", "stat=,pgid=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(/\s+/);
    return { state: state?.[0] ?? "", group: Number(group) };
  } catch {
    return undefined;
  }
}

export function isRunning(pid: number): boolean {
  const found = describeProcess(pid);
  return found !== undefined && !"ZX".includes(found.state);
}

function readLines(file: string): string[] {
  if (!fs.existsSync(file)) return [];
  const text = fs.readFileSync(file, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "");
}

function collect(child: ChildProcess): Pick<Supervised, "exited" | "output"> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk;
    });
  }
  const exited = new Promise<number>((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : os.constants.signals[signal])));
  });
  return { exited, output: () => output };
}
