import { constants } from "node:os";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { exitCodeOfSignal } from "../core/exit-codes.js";
import { explainSystemError } from "../core/private-files.js";
import type { Environment, Runtime } from "../core/runtime.js";

const FORWARDED: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
/** What a terminal sends to the whole foreground group, the command included. */
const SENT_BY_TERMINAL: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/**
 * Runs a command with the caller's own stdio and answers its exit code, or 128 + n when signal n ended it.
 * @throws {AgentctlError} COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE
 */
export function runCommand(
  [command, ...args]: readonly [string, ...string[]],
  env: Environment,
  runtime: Pick<Runtime, "spawn" | "cwd" | "hasTerminal" | "onSignal">,
): Promise<number> {
  const byTerminal = runtime.hasTerminal ? SENT_BY_TERMINAL : [];
  return new Promise((resolve, reject) => {
    const child = runtime.spawn(command, args, { env: { ...env }, cwd: runtime.cwd, stdio: "inherit" });
    const stops = FORWARDED.map((signal) =>
      runtime.onSignal(signal, () => {
        if (!byTerminal.includes(signal)) child.kill(signal);
      }),
    );
    const done = (settle: () => void) => {
      for (const stop of stops) stop();
      settle();
    };
    child.on("error", (error) => done(() => reject(startError(command, error))));
    child.on("close", (code, signal) =>
      done(() => resolve(signal === null ? (code ?? 0) : exitCodeOfSignal(constants.signals[signal]))),
    );
  });
}

function startError(command: string, error: Error): AgentctlError {
  if (systemErrorCode(error) === "ENOENT") {
    return new AgentctlError("COMMAND_NOT_FOUND", `cannot find ${command}: it is not on the PATH`, {
      hint: "check the spelling and the PATH; aliases and functions of your shell are not known here",
      cause: error,
    });
  }
  return new AgentctlError("COMMAND_NOT_EXECUTABLE", `cannot execute ${command}: ${explainSystemError(error)}`, {
    cause: error,
  });
}
