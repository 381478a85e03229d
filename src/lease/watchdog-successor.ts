import type { StdioOptions } from "node:child_process";
import type { Runtime } from "../core/runtime.js";
import { inheritableDescriptors } from "./watchdog-descriptors.js";

type SuccessorRuntime = Pick<Runtime, "spawn" | "self" | "env" | "cwd" | "fs" | "platform">;

/** A watchdog's own is nothing to read from. */
const STDIN = 0;
const STDERR = 2;

/**
 * Starts the watchdog's successor, which waits until a queued lease can be ended: minutes, in which nobody's output must
 * be held open, or whoever reads that to its end would wait as well.
 * @throws {Error} what `spawn` throws
 */
export function startSuccessor(id: string, runtime: SuccessorRuntime): void {
  const [program, ...args] = runtime.self;
  const successor = runtime.spawn(program, [...args, "lease", "sweep", "--as-watchdog", "--queued", id], {
    detached: true,
    stdio: openStdio(runtime),
    env: { ...runtime.env },
    cwd: runtime.cwd,
  });
  // The lease stays in the ledger, for whoever sweeps next.
  successor.on("error", () => {});
  successor.unref();
}

/** Those that a watchdog has covered with the caller's stderr are covered with its stdin, since Node cannot close them. */
function openStdio(runtime: SuccessorRuntime): StdioOptions {
  const inheritable = inheritableDescriptors(runtime);
  const stdio = new Array<"ignore" | number>(Math.max(STDERR, ...inheritable) + 1).fill("ignore");
  for (const fd of inheritable) stdio[fd] = STDIN;
  return stdio;
}
