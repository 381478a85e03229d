import type { ChildProcess } from "node:child_process";
import type { ResolvedCommand } from "../core/decision.js";
import { AgentctlError, type ErrorCode, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import { type CommandProcess, readStartedAt } from "../core/process-list.js";
import type { Runtime } from "../core/runtime.js";
import { descendantTree, ownGroup, type ProcessTree } from "./process-tree.js";

export interface ChildSpec {
  readonly command: ResolvedCommand;
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartedChild {
  /** Absent when it could not be started after all. */
  readonly process?: CommandProcess;
  readonly tree: ProcessTree;
  /** @throws {AgentctlError} when it could not be started after all */
  readonly exit: Promise<ChildExit>;
  /** Signals the child alone, and nothing once it has ended: its pid may be somebody else's by then. */
  forward(signal: NodeJS.Signals): void;
}

/**
 * Starts the command with our own stdin, stdout and stderr, and without a shell.
 * @throws {AgentctlError} COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE; here or by `exit`
 */
export function startChild(
  spec: ChildSpec,
  sharesGroup: boolean,
  runtime: Pick<Runtime, "spawn" | "kill" | "fs" | "platform">,
): StartedChild {
  const child = spawnChild(spec, sharesGroup, runtime);
  const { pid } = child;
  const exit = new Promise<ChildExit>((resolve, reject) => {
    // Not `close`, which waits for every grandchild that holds the output.
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => reject(explainSpawnError(error, spec, runtime)));
  });
  if (pid === undefined) return { exit, tree: { signal: () => {}, isAlive: () => false }, forward: () => {} };
  return {
    process: { pid, startedAt: readStartedAt(pid, runtime), leadsGroup: !sharesGroup },
    exit,
    tree: sharesGroup ? descendantTree(pid, runtime) : ownGroup(pid, runtime),
    forward: (signal) => {
      if (child.exitCode === null && child.signalCode === null) runtime.kill(pid, signal);
    },
  };
}

function spawnChild(spec: ChildSpec, sharesGroup: boolean, runtime: Pick<Runtime, "spawn" | "fs">): ChildProcess {
  const { command, env, cwd } = spec;
  const [argv0, ...args] = command.argv;
  try {
    return runtime.spawn(command.path, args, { argv0, env, cwd, stdio: "inherit", detached: !sharesGroup });
  } catch (error) {
    throw explainSpawnError(error, spec, runtime);
  }
}

/** The file was there and executable a moment ago, so that what the kernel says now needs a translation. */
function explainSpawnError(error: unknown, spec: ChildSpec, { fs }: Pick<Runtime, "fs">): AgentctlError {
  const { path } = spec.command;
  const fail = (code: ErrorCode, message: string, hint: string): AgentctlError =>
    new AgentctlError(code, `cannot execute ${path}: ${message}`, { hint, cause: error });
  switch (systemErrorCode(error)) {
    case "ENOENT":
      if (!fs.existsSync(spec.cwd)) return fail("COMMAND_NOT_EXECUTABLE", "the working directory is gone", "cd to one");
      return fail(
        "COMMAND_NOT_FOUND",
        "its interpreter was not found",
        "look at its first line, which names it after #!",
      );
    case "ENOEXEC":
      return fail(
        "COMMAND_NOT_EXECUTABLE",
        "it is not a program for this system",
        `for a script without #!: sh ${path}`,
      );
    case "E2BIG":
      return fail("COMMAND_NOT_EXECUTABLE", "its arguments and environment are too long", "pass long input in a file");
    case "EAGAIN":
      return fail("COMMAND_NOT_EXECUTABLE", "no further process may be started", "raise the limit (ulimit -u)");
    default:
      return fail("COMMAND_NOT_EXECUTABLE", explainSystemError(error), "try to run it without agentctl");
  }
}
