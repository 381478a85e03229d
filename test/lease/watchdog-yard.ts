import { spawn } from "node:child_process";
import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type IPty, spawn as spawnOnTerminal } from "@lydell/node-pty";
import { listProcesses, type ProcessEntry } from "../../src/core/process-list.js";
import { bundleWorker } from "../core/bundle-worker.js";
import type { OwnerReport, OwnerSpec } from "./watchdog-owner.js";

/** What the agentctl that a watchdog has become was started with. */
export interface Sweep {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly descriptors: Readonly<Record<number, string>>;
}

export interface OwnerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly shell?: readonly [string, ...string[]];
  readonly command?: readonly [string, ...string[]];
  /** False: the lease is not in the ledger. */
  readonly hasEntry?: boolean;
  /** The shell's words that start the owner, which is "$@". */
  readonly script?: string;
  readonly onTerminal?: boolean;
}

export interface Owner extends OwnerReport {
  readonly dir: string;
  readonly entryFile: string;
  /** The watchdog's process: of its session whoever is left. */
  readonly watchdog: () => ProcessEntry | undefined;
  readonly sweeps: () => readonly Sweep[];
  readonly release: () => void;
  readonly terminal?: IPty;
}

const SWEEPER = path.join(import.meta.dirname, "watchdog-sweeper.mjs");
const LEASE_ID = "l-0123456789abcdef";

/** A scratch directory and everything that was started in it. */
export class Yard {
  readonly dir: string;
  readonly #bundle: string;
  readonly #sessions = new Set<number>();
  readonly #pids = new Set<number>();
  #count = 0;

  private constructor(dir: string, bundle: string) {
    this.dir = dir;
    this.#bundle = bundle;
  }

  static async open(): Promise<Yard> {
    const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-watchdog-")));
    return new Yard(dir, await bundleWorker(path.join(import.meta.dirname, "watchdog-owner.ts"), dir));
  }

  /** Kills what a failed test left, by its pid, and removes the directory. */
  close(): void {
    const left = listProcesses({ fs, platform: process.platform }).filter(
      ({ pid, session = -1 }) => this.#pids.has(pid) || this.#sessions.has(session),
    );
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }

  /** A process with a watchdog that is ready. */
  async owner({ env = {}, hasEntry = true, script = 'exec "$@"', ...options }: OwnerOptions = {}): Promise<Owner> {
    this.#count += 1;
    const dir = path.join(this.dir, String(this.#count));
    fs.mkdirSync(dir);
    const file = (name: string): string => path.join(dir, name);
    const { shell, command } = options;
    const spec: OwnerSpec = {
      leaseId: LEASE_ID,
      entryFile: file("entry.json"),
      self: [process.execPath, SWEEPER, file("sweeps")],
      releaseFile: file("release"),
      reportFile: file("report"),
      ...(shell && { shell }),
      ...(command && { command }),
    };
    fs.writeFileSync(file("spec"), JSON.stringify(spec));
    if (hasEntry) fs.writeFileSync(spec.entryFile, "{}");
    const args = ["-c", script, "sh", process.execPath, this.#bundle, file("spec")];
    const whole = { PATH: process.env["PATH"] ?? "", HOME: dir, ...env };
    let terminal: IPty | undefined;
    if (options.onTerminal === true) terminal = spawnOnTerminal("sh", args, { cwd: dir, env: whole });
    else spawn("bash", args, { cwd: dir, env: whole, detached: true, stdio: "ignore" });
    const report = await poll(() => readJson<OwnerReport>(spec.reportFile), "an owner to begin");
    this.#sessions.add(report.session);
    for (const pid of [report.pid, report.commandPid]) if (pid !== undefined) this.#pids.add(pid);
    return {
      ...report,
      dir,
      entryFile: spec.entryFile,
      watchdog: () => processes().find(({ session }) => session === report.session),
      sweeps: () => readLines(file("sweeps")).map((line) => JSON.parse(line) as Sweep),
      release: () => fs.writeFileSync(spec.releaseFile, ""),
      ...(terminal && { terminal }),
    };
  }
}

export function processes(): ProcessEntry[] {
  return listProcesses({ fs, platform: process.platform });
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

function readJson<T>(file: string): T | undefined {
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as T) : undefined;
}

function readLines(file: string): string[] {
  if (!fs.existsSync(file)) return [];
  return fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}
