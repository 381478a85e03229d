import { type IPty, spawn } from "@lydell/node-pty";
import { BIN, eventually, NODE, type Stage } from "../agentctl.js";

/** agentctl as the leader of a terminal's session. */
export interface TerminalRun {
  readonly pid: number;
  readonly terminal: IPty;
  output(): string;
  /** Waits until it has said so. */
  said(pattern: RegExp): Promise<string>;
  readonly exited: Promise<{ readonly exitCode: number; readonly signal?: number }>;
}

export function startOnTerminal(
  stage: Stage,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): TerminalRun {
  return startLeader(stage, NODE, [BIN, ...args], env);
}

/** A shell as the leader, whose script calls agentctl `"$@"` and goes on after that. */
export function startShell(stage: Stage, script: string, args: readonly string[]): TerminalRun {
  return startLeader(stage, "/bin/sh", ["-c", script, "sh", NODE, BIN, ...args]);
}

function startLeader(
  stage: Stage,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): TerminalRun {
  const terminal = spawn(file, [...args], { cwd: stage.dir, env: { ...stage.env, ...env }, cols: 400 });
  let output = "";
  terminal.onData((text) => {
    output += text;
  });
  return {
    pid: terminal.pid,
    terminal,
    output: () => output,
    said: async (pattern) => (await eventually(() => pattern.exec(output) ?? undefined))[0],
    exited: new Promise((resolve) => terminal.onExit(resolve)),
  };
}
