import { constants } from "node:os";
import { AgentctlError } from "../core/errors.js";
import { exitCodeOfSignal } from "../core/exit-codes.js";
import type { Runtime } from "../core/runtime.js";
import { untilAborted } from "../core/until-aborted.js";

const INTERRUPTING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Meant for the command. Without a handler they end this process, or open Node's inspector (SIGUSR1). */
const HELD = ["SIGUSR1", "SIGUSR2"] as const;

/** An exit that has not come about by then waits for something, such as a reader, and may be interrupted. */
const EXIT_MS = 3_000;

export interface Interruption {
  /** Aborted at the first signal; its reason is the INTERRUPTED error. */
  readonly signal: AbortSignal;
  /** @throws {AgentctlError} INTERRUPTED, once a signal has come */
  throwIfInterrupted(): void;
  /** What `work` answers, unless a signal comes first: then it is waited for no longer. @throws {AgentctlError} INTERRUPTED */
  interrupt<T>(work: Promise<T>): Promise<T>;
  stop(): void;
  /** As `stop`, but for the moment in which the process tells its last and exits: no signal is to cut that off. */
  stopAfterExit(): void;
}

/**
 * Watches for the signals that ask agentctl to stop, from before anything is issued until everything is
 * ended, so that none of them ends the process with a lease half open.
 */
export function watchInterruption(runtime: Pick<Runtime, "onSignal">): Interruption {
  const controller = new AbortController();
  const held = HELD.map((name) => runtime.onSignal(name, () => {}));
  const stops = INTERRUPTING.map((name) =>
    runtime.onSignal(name, () => {
      const exitCode = exitCodeOfSignal(constants.signals[name]);
      controller.abort(
        new AgentctlError("INTERRUPTED", `interrupted by ${name} before the command was started`, { exitCode }),
      );
    }),
  );
  const stop = (): void => {
    for (const stopOne of [...stops, ...held]) stopOne();
  };
  return {
    signal: controller.signal,
    throwIfInterrupted: () => controller.signal.throwIfAborted(),
    interrupt: (work) => untilAborted(work, controller.signal),
    stop,
    stopAfterExit: () => void setTimeout(stop, EXIT_MS).unref(),
  };
}
