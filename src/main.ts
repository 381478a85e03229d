import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { runCli } from "./cli/index.js";
import { fetchOverHttp } from "./core/http.js";
import type { Output, Runtime } from "./core/runtime.js";

declare const AGENTCTL_VERSION: string;

/** The process: the only place that touches argv, the environment, the standard streams and the exit. */
export function main(): void {
  silenceLibraries();
  const runtime = createRuntime({ ...process.env });
  runCli(process.argv.slice(2), runtime).then(
    (code) => process.exit(code),
    (error: unknown) => {
      runtime.stderr.write(`agentctl: error[DEFECT]: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(70);
    },
  );
}

/** Notices that libraries and Node address to developers are not the user's business. */
function silenceLibraries(): void {
  process.removeAllListeners("warning");
  process.on("warning", () => {});
}

function createRuntime(env: Runtime["env"]): Runtime {
  return {
    env,
    cwd: process.cwd(),
    platform: process.platform,
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    version: AGENTCTL_VERSION,
    stdout: createOutput(1, () => process.stdout),
    stderr: createOutput(2, () => process.stderr),
    stdinIsTTY: isatty(0),
    get hasTerminal() {
      return hasControllingTerminal();
    },
    fs,
    spawn,
    fetch: fetchOverHttp,
    now: Date.now,
    sleep: (ms) => sleep(ms),
    random: Math.random,
    onSignal: (signal, handler) => {
      process.on(signal, handler);
      return () => process.removeListener(signal, handler);
    },
    kill: sendSignal,
  };
}

/** A stream is opened at its first write: most runs write nothing to stdout. */
function createOutput(fd: 1 | 2, open: () => NodeJS.WriteStream): Output {
  let stream: NodeJS.WriteStream | undefined;
  const opened = (): NodeJS.WriteStream => {
    if (stream === undefined) {
      stream = open();
      // A reader that has gone (`agentctl audit log | head`) is not an error of ours.
      stream.on("error", (error: NodeJS.ErrnoException) => {
        if (fd === 1 && error.code === "EPIPE") process.exit(0);
      });
    }
    return stream;
  };
  return {
    isTTY: isatty(fd),
    get columns() {
      return opened().columns ?? 80;
    },
    write: (text) => {
      opened().write(text);
    },
  };
}

function hasControllingTerminal(): boolean {
  try {
    fs.closeSync(fs.openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    // EPERM: it is there, and not ours to signal.
    return (error as NodeJS.ErrnoException).code === "EPERM" && signal === 0;
  }
}
