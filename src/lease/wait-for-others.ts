import { isOwnerAlive } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { readEntryFile } from "./entry-file.js";

const LOOK_MS = 200;

export interface WaitRules {
  /** Epoch ms. */
  readonly waitUntil: number;
  /** Aborted when nobody wants to wait any longer. */
  readonly signal: AbortSignal;
  /** Called once, if there is somebody to wait for. */
  onWaiting(pid: number): void;
}

/** The process that is ending the lease now, alive: its agentctl, its watchdog or a sweep. Undefined where there is none. */
export function findEnder(id: string, runtime: Runtime): number | undefined {
  const found = readEntryFile(id, runtime);
  if (found.is !== "entry" || found.entry.state !== "ending") return undefined;
  return isOwnerAlive(found.entry.owner, runtime) === "alive" ? found.entry.owner.pid : undefined;
}

/** Waits while another process is ending the lease. Answers false where it still is when the waiting is over. */
export async function waitWhileEnding(id: string, rules: WaitRules, runtime: Runtime): Promise<boolean> {
  const { waitUntil, signal, onWaiting } = rules;
  let isTold = false;
  for (;;) {
    const pid = findEnder(id, runtime);
    if (pid === undefined) return true;
    if (signal.aborted || runtime.now() >= waitUntil) return false;
    if (!isTold) onWaiting(pid);
    isTold = true;
    await runtime.sleep(LOOK_MS);
  }
}
