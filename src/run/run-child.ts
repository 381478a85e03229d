import { constants } from "node:os";
import { exitCodeOfSignal } from "../core/exit-codes.js";
import type { ChildResult } from "../core/lease.js";
import type { CommandProcess } from "../core/process-list.js";
import type { Runtime } from "../core/runtime.js";
import { relaySignals } from "./relay-signals.js";
import { type ChildExit, type ChildSpec, type StartedChild, startChild } from "./start-child.js";
import { type ExpiryRules, watchExpiry } from "./watch-expiry.js";

export interface ChildOrder extends ChildSpec, ExpiryRules {
  /** One line for the user. */
  readonly onNotice: (text: string) => void;
  /** Called once the child is there, before anything that it asks for can be answered. */
  readonly onStarted: (child: CommandProcess) => void;
}

type ChildRuntime = Pick<Runtime, "spawn" | "kill" | "onSignal" | "now" | "hasTerminal" | "fs" | "platform" | "pid">;

/**
 * Runs the command and waits for its end. On a terminal it shares our process group, so that Ctrl-C reaches it
 * once, from the terminal; elsewhere it leads a group of its own. Nothing is awaited before it is started: a signal
 * that comes meanwhile waits in the event loop and then finds the child there.
 * @throws {AgentctlError} COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE
 */
export async function runChild(order: ChildOrder, runtime: ChildRuntime): Promise<ChildResult> {
  const sharesGroup = runtime.hasTerminal;
  let child: StartedChild | undefined;
  const stopRelay = relaySignals(
    {
      sharesGroup,
      forward: (signal) => child?.forward(signal),
      kill: () => child?.tree.signal("SIGKILL"),
      notify: order.onNotice,
    },
    runtime,
  );
  try {
    const startedAt = runtime.now();
    child = startChild(order, sharesGroup, runtime);
    if (child.process !== undefined) order.onStarted(child.process);
    return { startedAt, ...(await superviseChild(child, order, runtime)) };
  } finally {
    stopRelay();
  }
}

async function superviseChild(
  child: StartedChild,
  order: ChildOrder,
  runtime: ChildRuntime,
): Promise<Omit<ChildResult, "startedAt">> {
  const expiry = watchExpiry(order, child.tree, order.onNotice, runtime);
  try {
    const exit = await child.exit;
    const endedAt = runtime.now();
    await expiry.settle();
    return { ...describeExit(exit), endedAt, stoppedAtExpiry: expiry.hasStoppedAtDeadline };
  } finally {
    expiry.cancel();
  }
}

function describeExit({ code, signal }: ChildExit): Pick<ChildResult, "exitCode" | "signal"> {
  if (signal !== null) return { exitCode: exitCodeOfSignal(constants.signals[signal]), signal };
  return { exitCode: code ?? 0 };
}
