import type { Runtime } from "../core/runtime.js";

/**
 * Starts the watchdog's successor, which waits until a queued lease can be ended: minutes, in which nobody's output must
 * be held open, or whoever reads that to its end would wait as well.
 * @throws {Error} what `spawn` throws
 */
export function startSuccessor(id: string, { spawn, self, env, cwd }: Pick<Runtime, "spawn" | "self" | "env" | "cwd">) {
  const [program, ...args] = self;
  const successor = spawn(program, [...args, "lease", "sweep", "--as-watchdog", "--queued", id], {
    detached: true,
    stdio: "ignore",
    env: { ...env },
    cwd,
  });
  // The lease stays in the ledger, for whoever sweeps next.
  successor.on("error", () => {});
  successor.unref();
}
