import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { renderError } from "./cli/error.js";
import { runCli } from "./cli/index.js";
import { AgentctlError, systemErrorCode, toAgentctlError } from "./core/errors.js";
import { EXIT } from "./core/exit-codes.js";
import { fetchOverHttp } from "./core/http.js";
import { explainSystemError } from "./core/private-files.js";
import type { Output, Runtime } from "./core/runtime.js";

declare const AGENTCTL_VERSION: string;

/** The process: the only place that touches argv, the environment, the standard streams and the exit. */
export function main(): void {
  silenceLibraries();
  run().then(
    // A write that failed is told in the next turn of the event loop.
    (code) => drainOutputs().then(() => setImmediate(() => process.exit(code))),
    exitWithError,
  );
}

/** Those that were written to. */
const outputs = new Set<NodeJS.WriteStream>();

/** Waits until the reader of a pipe has taken what was written: an exit would throw it away. */
async function drainOutputs(): Promise<void> {
  const unread = [...outputs].filter(({ writableLength }) => writableLength > 0);
  await Promise.all(unread.map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))));
}

async function run(): Promise<number> {
  return runCli(process.argv.slice(2), createRuntime({ ...process.env }));
}

function exitWithError(thrown: unknown): never {
  const error = toAgentctlError(thrown);
  process.stderr.write(renderError(error));
  process.exit(error.exitCode);
}

/** Notices that libraries and Node address to developers are not the user's business. */
function silenceLibraries(): void {
  process.removeAllListeners("warning");
  process.on("warning", () => {});
}

function createRuntime(env: Runtime["env"]): Runtime {
  return {
    env,
    cwd: workingDirectory(),
    platform: process.platform,
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    version: AGENTCTL_VERSION,
    self: [process.execPath, ...process.argv.slice(1, 2)],
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
    enter: enterDirectory,
  };
}

/** A stream is opened at its first write: most runs write nothing to stdout. */
function createOutput(fd: 1 | 2, open: () => NodeJS.WriteStream): Output {
  let stream: NodeJS.WriteStream | undefined;
  const opened = (): NodeJS.WriteStream => {
    if (stream === undefined) {
      stream = open();
      outputs.add(stream);
      stream.on("error", (error) => {
        if (fd === 1) exitWithoutOutput(error);
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

/** A reader that has gone (`agentctl audit log | head`) is no error of ours; half a file is one. */
function exitWithoutOutput(error: Error): never {
  if (systemErrorCode(error) === "EPIPE") process.exit(EXIT.ok);
  exitWithError(
    new AgentctlError("OUTPUT_UNWRITABLE", `cannot write to stdout: ${explainSystemError(error)}`, { cause: error }),
  );
}

/** @throws {AgentctlError} USAGE when it was removed: no path can be told from there, and no child started */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new AgentctlError("USAGE", "the working directory is gone", {
      hint: "cd to a directory that exists",
      cause: error,
    });
  }
}

function hasControllingTerminal(): boolean {
  try {
    fs.closeSync(fs.openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

function enterDirectory(directory: string): boolean {
  try {
    process.chdir(directory);
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
