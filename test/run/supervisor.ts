import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { AgentctlError } from "../../src/core/errors.js";
import type { Runtime } from "../../src/core/runtime.js";
import { resolveCommand, runChild } from "../../src/run/index.js";

/** What a test tells the process that stands for agentctl. */
export interface SupervisorSpec {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds from now, by the clock of `clockFile`. */
  readonly deadlineInMs: number;
  readonly onExpiry: "warn" | "stop";
  readonly graceSeconds: number;
  /** Holds the milliseconds by which the wall clock is ahead. */
  readonly clockFile: string;
  /** The lease is revoked when it is there. */
  readonly revocationFile: string;
  /** One JSON line a happening. */
  readonly reportFile: string;
  /** A signal that this process gets after it has begun and before the child is there. */
  readonly signalBeforeSpawn?: NodeJS.Signals;
}

const spec: SupervisorSpec = JSON.parse(fs.readFileSync(process.argv[2] ?? "", "utf8"));

const runtime: Runtime = {
  env: {},
  cwd: process.cwd(),
  platform: process.platform,
  pid: process.pid,
  uid: process.getuid?.() ?? -1,
  version: "test",
  self: [process.execPath],
  stdout: { isTTY: false, columns: 80, write: () => {} },
  stderr: { isTTY: false, columns: 80, write: () => {} },
  stdinIsTTY: false,
  get hasTerminal() {
    try {
      fs.closeSync(fs.openSync("/dev/tty", "r"));
      return true;
    } catch {
      return false;
    }
  },
  fs,
  spawn: ((...args: Parameters<typeof spawn>) => {
    if (spec.signalBeforeSpawn !== undefined) process.kill(process.pid, spec.signalBeforeSpawn);
    return spawn(...args);
  }) as typeof spawn,
  fetch: () => Promise.reject(new Error("no network")),
  now: () => Date.now() + Number(fs.readFileSync(spec.clockFile, "utf8")),
  sleep: () => Promise.resolve(),
  random: () => 0,
  onSignal: (signal, handler) => {
    const heard = (): void => {
      handler();
      report({ heard: signal });
    };
    process.on(signal, heard);
    return () => process.removeListener(signal, heard);
  },
  enter: () => false,
  kill: (pid, signal) => {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  },
};

function report(entry: Readonly<Record<string, unknown>>): void {
  fs.appendFileSync(spec.reportFile, `${JSON.stringify(entry)}\n`);
}

function watchRevocation(): AbortSignal {
  const revocation = new AbortController();
  const look = setInterval(() => {
    if (fs.existsSync(spec.revocationFile)) revocation.abort();
  }, 10);
  look.unref();
  return revocation.signal;
}

async function main(): Promise<number> {
  report({ pid: process.pid });
  try {
    const command = resolveCommand(spec.argv, spec.env["PATH"] ?? "", runtime);
    const result = await runChild(
      {
        command,
        env: spec.env,
        cwd: runtime.cwd,
        deadlineAt: runtime.now() + spec.deadlineInMs,
        onExpiry: spec.onExpiry,
        graceSeconds: spec.graceSeconds,
        onNotice: (notice) => report({ notice }),
        onStarted: (started) => report({ started }),
        revoked: watchRevocation(),
      },
      runtime,
    );
    report({ result });
    return result.exitCode;
  } catch (error) {
    if (!(error instanceof AgentctlError)) throw error;
    report({ error: error.code, message: error.message });
    return error.exitCode;
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    report({ defect: String(error) });
    process.exit(70);
  },
);
