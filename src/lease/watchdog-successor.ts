import type { StdioOptions } from "node:child_process";
import { devNull } from "node:os";
import type { Runtime } from "../core/runtime.js";
import { findWaiter } from "./wait-in-queue.js";
import { inheritableDescriptors } from "./watchdog-descriptors.js";
import { watchdogEnvironment } from "./watchdog-environment.js";

/** The pid of the process that waits until that lease can be ended, started where there is none; undefined where none could be. */
export function haveWaiter(id: string, identitySource: string | undefined, runtime: Runtime): number | undefined {
  return findWaiter(id, runtime) ?? startSuccessor(id, identitySource, runtime);
}

type SuccessorRuntime = Pick<Runtime, "spawn" | "self" | "env" | "cwd" | "fs" | "platform">;

const STDERR = 2;

/**
 * Starts the watchdog's successor, which waits until a queued lease can be ended: minutes, in which nobody's output must
 * be held open, or whoever reads that to its end would wait as well. Where another one waits already, it ends at once.
 * Answers its pid. Never throws: where it cannot be started, the lease stays in the ledger for whoever sweeps next.
 */
export function startSuccessor(
  id: string,
  identitySource: string | undefined,
  runtime: SuccessorRuntime,
): number | undefined {
  const { spawn, self, cwd, fs } = runtime;
  const [program, ...args] = self;
  const identity = identitySource === undefined ? [] : ["--identity", identitySource];
  let nothing: number | undefined;
  try {
    nothing = fs.openSync(devNull, "r+");
    const successor = spawn(program, [...args, "lease", "sweep", "--as-watchdog", "--queued", ...identity, id], {
      detached: true,
      stdio: openStdio(nothing, runtime),
      env: watchdogEnvironment(runtime),
      // Relative paths in the environment start there; a directory that is gone is nowhere to start in.
      cwd: fs.existsSync(cwd) ? cwd : "/",
    });
    successor.on("error", () => {});
    successor.unref();
    return successor.pid;
  } catch {
    // Such as where no further file may be opened.
    return undefined;
  } finally {
    if (nothing !== undefined) fs.closeSync(nothing);
  }
}

/** What else would be inherited, such as a script's lock or the stderr that a watchdog has covered it with, is covered. */
function openStdio(nothing: number, runtime: SuccessorRuntime): StdioOptions {
  const inheritable = inheritableDescriptors(runtime);
  const stdio = new Array<"ignore" | number>(Math.max(STDERR, ...inheritable) + 1).fill("ignore");
  for (const fd of inheritable) stdio[fd] = nothing;
  return stdio;
}
