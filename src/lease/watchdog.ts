import type { ChildProcess, StdioOptions } from "node:child_process";
import type { Writable } from "node:stream";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { inheritableDescriptors } from "./watchdog-descriptors.js";
import { watchdogEnvironment } from "./watchdog-environment.js";
import { NOTHING_TO_END, WATCHDOG_SCRIPT } from "./watchdog-script.js";

const SHELL = "/bin/sh";
const NAME = "agentctl-watchdog";
const STDERR = 2;
const LIFELINE = 3;

export interface WatchdogOrder {
  readonly leaseId: string;
  /** The lease's file in the ledger: while it is there, there is something to end. Absolute. */
  readonly entryFile: string;
}

/** A small process that outlives agentctl, to end its lease if agentctl can't. */
export interface Watchdog {
  /**
   * Settled once it would survive agentctl's death, which is when a lease may be issued. May be left unawaited.
   * @throws {AgentctlError} WATCHDOG_UNUSABLE, STATE_UNWRITABLE
   */
  readonly ready: Promise<void>;
  /** Tells it that there is nothing to end. May be called again, and does no harm where it never started. */
  release(): void;
}

type WatchdogRuntime = Pick<Runtime, "spawn" | "env" | "cwd" | "self" | "fs" | "platform">;

/**
 * Starts the watchdog; nothing is waited for here. It sees agentctl's death as the end of a file: its other end is in
 * this process alone, since Node lets no child inherit it, and the kernel closes it whatever the death was.
 */
export function startWatchdog(order: WatchdogOrder, runtime: WatchdogRuntime): Watchdog {
  let lifeline: Writable | undefined;
  const ready = new Promise<void>((resolve, reject) => {
    const shell = spawnShell(order, runtime);
    lifeline = holdLifeline(shell);
    shell.once("error", (error) => reject(explainSpawnError(error)));
    // Its end is also the proof: what it has left in the background has lost its parent before that can be seen.
    shell.once("exit", (code, signal) => (code === 0 ? resolve() : reject(unusable(describeEnd(code, signal)))));
  }).catch((thrown: unknown) => {
    throw thrown instanceof AgentctlError ? thrown : explainSpawnError(thrown);
  });
  // Who is interrupted before waiting for it must not be ended by it.
  ready.catch(() => {});
  return {
    ready,
    release: () => {
      if (lifeline?.writable) lifeline.end(NOTHING_TO_END);
    },
  };
}

/** In a session of its own, so that neither a terminal's hang-up nor a signal to agentctl's group or session reaches it. */
function spawnShell({ leaseId, entryFile }: WatchdogOrder, runtime: WatchdogRuntime): ChildProcess {
  const args = ["-c", WATCHDOG_SCRIPT, NAME, leaseId, entryFile, runtime.cwd, ...runtime.self];
  return runtime.spawn(SHELL, args, {
    detached: true,
    // Not the caller's directory, whose file system could not be unmounted as long as somebody waits in it.
    cwd: "/",
    env: watchdogEnvironment(runtime),
    stdio: openStdio(runtime),
  });
}

/**
 * Stderr is the caller's, for the line that says what was ended. Whatever else would be inherited is covered with it:
 * a shell can't name the high descriptors to close them, and a lock that is one of them must not be held any longer
 * than agentctl does.
 */
function openStdio(runtime: WatchdogRuntime): StdioOptions {
  const inheritable = inheritableDescriptors(runtime);
  const stdio = new Array<"ignore" | number | "pipe">(Math.max(LIFELINE, ...inheritable) + 1).fill("ignore");
  for (const fd of [STDERR, ...inheritable]) stdio[fd] = STDERR;
  stdio[LIFELINE] = "pipe";
  return stdio;
}

/** Not by the child's stdin, which Node closes when the first shell ends. */
function holdLifeline(shell: ChildProcess): Writable | undefined {
  // Absent when the system had no descriptors left for it.
  const lifeline = shell.stdio?.[LIFELINE] as (Writable & { unref?: () => void }) | null | undefined;
  // A watchdog that was killed takes its end with it; nothing of the run depends on it.
  lifeline?.on("error", () => {});
  lifeline?.unref?.();
  return lifeline ?? undefined;
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `${SHELL} exited with ${code}` : `${SHELL} was ended by ${signal}`;
}

function explainSpawnError(thrown: unknown): AgentctlError {
  switch (systemErrorCode(thrown)) {
    case "ENOENT":
      return unusable(`there is no ${SHELL}`, "agentctl needs a POSIX shell there", thrown);
    case "EAGAIN":
      return unusable("no further process may be started", "raise the limit (ulimit -u)", thrown);
    case "EMFILE":
    case "ENFILE":
      return unusable("no further file may be opened", "raise the limit (ulimit -n)", thrown);
    default:
      return unusable(explainSystemError(thrown), undefined, thrown);
  }
}

function unusable(why: string, hint = `try: ${SHELL} -c 'true & exit'`, cause?: unknown): AgentctlError {
  const message = `cannot start the watchdog, which ends the lease when agentctl is killed: ${why}`;
  return new AgentctlError("WATCHDOG_UNUSABLE", message, { hint, cause });
}
