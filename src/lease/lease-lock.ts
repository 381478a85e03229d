import { toAgentctlError } from "../core/errors.js";
import { type FileLockRules, withFileLock } from "../core/file-lock.js";
import type { Runtime } from "../core/runtime.js";
import { leaseFile } from "./entry.js";

/** Held by whoever ends a lease that is not its own. */
export interface LeaseLock {
  /** Resolves when others can have it; a second time does nothing. Never rejects. */
  release(): Promise<void>;
}

/** Long enough for a lock whose holder was killed to be seen twice, and broken. */
const RULES: FileLockRules = { timeoutMs: 1_000 };

/**
 * Undefined when another process has it. `queue` is held by whoever waits until the lease can be ended.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export function lockLease(
  id: string,
  runtime: Runtime,
  kind: "lock" | "queue" = "lock",
): Promise<LeaseLock | undefined> {
  return new Promise((resolve, reject) => {
    let letGo = (): void => {};
    const over = new Promise<void>((resolveOver) => {
      letGo = resolveOver;
    });
    const hold = (): Promise<void> => {
      resolve({ release });
      return over;
    };
    const held = withFileLock(leaseFile(id, kind, runtime), hold, runtime, RULES);
    held.catch((thrown: unknown) => {
      if (toAgentctlError(thrown).code === "LOCK_HELD") resolve(undefined);
      else reject(thrown);
    });
    // A lock that cannot be removed names its owner, and is broken once that has ended.
    const release = (): Promise<void> => {
      letGo();
      return held.catch(() => {});
    };
  });
}
