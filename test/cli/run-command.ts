import { Command } from "commander";
import type { CliContext } from "../../src/cli/context.js";
import type { FakeRuntime } from "../fake-runtime.js";

/** Runs one command's own file, without the rest of the command line; its errors are thrown. */
export async function runCommand(
  register: (program: Command, context: CliContext) => void,
  argv: readonly string[],
  runtime: FakeRuntime,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const program = new Command("agentctl").exitOverride().configureOutput({
    writeOut: (text) => runtime.stdout.write(text),
    writeErr: (text) => runtime.stderr.write(text),
  });
  register(program, { runtime, exit: () => {} });
  await program.parseAsync([...argv], { from: "user" });
  return { stdout: runtime.stdout.text(), stderr: runtime.stderr.text() };
}
