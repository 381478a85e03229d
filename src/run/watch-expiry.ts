import { callAt } from "../core/call-at.js";
import { formatDuration, formatInstant } from "../core/durations.js";
import type { OnExpiry } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { ProcessTree } from "./process-tree.js";

const LINGER_LOOK_MS = 50;

export interface ExpiryRules {
  /** Milliseconds since the epoch. */
  readonly deadlineAt: number;
  readonly onExpiry: OnExpiry;
  readonly graceSeconds: number;
  /** Aborted when the lease is revoked before its deadline, which is then over. */
  readonly revoked?: AbortSignal;
}

export interface ExpiryWatch {
  /** True once `on_expiry: stop` has begun to end the command, since the deadline came. */
  readonly hasStoppedAtDeadline: boolean;
  /** After the child's exit: waits until what was told to stop is gone, or was killed at the end of the grace. */
  settle(): Promise<void>;
  cancel(): void;
}

/** Does at the lease's end, by its deadline or a revocation, what the profile says: tells it, or ends the command. */
export function watchExpiry(
  rules: ExpiryRules,
  tree: ProcessTree,
  notify: (text: string) => void,
  runtime: Pick<Runtime, "now">,
): ExpiryWatch {
  let hasStoppedAtDeadline = false;
  let killsAt: number | undefined;
  let cancel = callAt(rules.deadlineAt, onDeadline, runtime);
  rules.revoked?.addEventListener("abort", onRevoked, { once: true });
  if (rules.revoked?.aborted === true) onRevoked();

  function onDeadline(): void {
    rules.revoked?.removeEventListener("abort", onRevoked);
    hasStoppedAtDeadline = rules.onExpiry === "stop";
    endBecause(`the lease ended at ${formatInstant(rules.deadlineAt)}`);
  }

  function onRevoked(): void {
    cancel();
    endBecause("the lease was revoked");
  }

  function endBecause(ended: string): void {
    if (rules.onExpiry === "warn") {
      notify(`${ended}: the command goes on, and is given no credentials any more`);
      return;
    }
    killsAt = runtime.now() + rules.graceSeconds * 1_000;
    notify(`${ended}: stopping the command (SIGTERM; SIGKILL in ${formatDuration(rules.graceSeconds)})`);
    tree.signal("SIGTERM");
    cancel = callAt(killsAt, onGraceOver, runtime);
  }

  function onGraceOver(): void {
    killsAt = undefined;
    notify("the command did not stop in time: killing it (SIGKILL)");
    tree.signal("SIGKILL");
  }

  return {
    get hasStoppedAtDeadline() {
      return hasStoppedAtDeadline;
    },
    settle: async () => {
      while (killsAt !== undefined && tree.isAlive())
        await new Promise((resolve) => setTimeout(resolve, LINGER_LOOK_MS));
    },
    cancel: () => {
      rules.revoked?.removeEventListener("abort", onRevoked);
      cancel();
    },
  };
}
