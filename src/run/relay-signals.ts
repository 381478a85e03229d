import { readStat } from "../core/process-list.js";
import type { Runtime } from "../core/runtime.js";

/** Sent on as they come, and never more than that: a killed Terraform leaves locks and half a state. */
const FORWARDED = ["SIGTERM", "SIGUSR1", "SIGUSR2"] as const;

/** Interrupts further apart than this are not one wish to end: in a REPL, Ctrl-C only clears the line. */
const INTERRUPT_GAP_MS = 10_000;
const INTERRUPTS_TO_KILL = 3;

export interface RelayTarget {
  /** On a terminal the child shares our group, and the terminal sends Ctrl-C and Ctrl-\ to the whole group. */
  readonly sharesGroup: boolean;
  /** Signals the child alone. */
  forward(signal: NodeJS.Signals): void;
  /** Ends the child and what it started. */
  kill(): void;
  notify(text: string): void;
}

/**
 * Hands on the signals that this process gets, until the answered function is called. The only signal that
 * ever ends in a SIGKILL is SIGINT, the third time.
 */
export function relaySignals(
  target: RelayTarget,
  runtime: Pick<Runtime, "onSignal" | "now" | "fs" | "platform" | "pid" | "hasTerminal">,
): () => void {
  const interrupted = countInterrupts(target, runtime);
  const stops = [
    ...FORWARDED.map((signal) => runtime.onSignal(signal, () => target.forward(signal))),
    runtime.onSignal("SIGHUP", () => {
      if (!target.sharesGroup || !hasGroupHungUp(runtime)) target.forward("SIGHUP");
    }),
    runtime.onSignal("SIGQUIT", () => {
      if (!target.sharesGroup) target.forward("SIGQUIT");
    }),
    runtime.onSignal("SIGINT", () => {
      // Counted when it came, and not when the command has done something about it.
      interrupted();
      if (!target.sharesGroup) target.forward("SIGINT");
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function countInterrupts(target: RelayTarget, runtime: Pick<Runtime, "now">): () => void {
  let count = 0;
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = runtime.now();
    count = now - last > INTERRUPT_GAP_MS ? 1 : count + 1;
    last = now;
    if (count === INTERRUPTS_TO_KILL - 1) {
      target.notify(`interrupt once more within ${INTERRUPT_GAP_MS / 1000}s to kill the command (SIGKILL)`);
    } else if (count === INTERRUPTS_TO_KILL) {
      target.notify("interrupted three times: killing the command (SIGKILL)");
      target.kill();
    }
  };
}

/**
 * Whether a SIGHUP went to the child as well: when a terminal goes away, the kernel sends it to the session's
 * leader alone, and to the whole foreground group once the leader has gone. Where that cannot be told the
 * signal is sent on, since one too many is better than none.
 */
function hasGroupHungUp(runtime: Pick<Runtime, "fs" | "platform" | "pid" | "hasTerminal">): boolean {
  if (runtime.hasTerminal || runtime.platform !== "linux") return false;
  const session = readStat("self", runtime.fs)?.[3];
  return session !== undefined && Number(session) !== runtime.pid;
}
