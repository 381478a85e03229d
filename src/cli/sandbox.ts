import path from "node:path";
import type { Command } from "commander";
import { EXIT } from "../core/exit-codes.js";
import { writePrivateFile } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import type { Sandbox } from "../sandbox/index.js";
import type { CliContext } from "./context.js";
import { SANDBOX_HELP } from "./sandbox-help.js";

const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

interface SandboxCommandOptions {
  readonly world?: string;
  readonly quiet?: boolean;
}

/** `agentctl sandbox [-- COMMAND…]`. The servers and their libraries are loaded when it runs. */
export function registerSandbox(program: Command, context: CliContext): void {
  program
    .command("sandbox")
    .summary("try agentctl with no account: embedded clouds on loopback")
    .description(
      "Serves an OIDC issuer and a little of AWS, Azure and Google Cloud on this machine, as strict as the real ones, and runs COMMAND against them; without COMMAND, serves until Ctrl-C.",
    )
    .argument("[command...]", "what to run with SDKs pointed at the sandbox")
    .option("--world <file>", "YAML or JSON of what it holds and of the claims that it makes")
    .option("--quiet", "say nothing but errors")
    .passThroughOptions()
    .addHelpText("after", SANDBOX_HELP)
    .action(async (command: readonly string[], options: SandboxCommandOptions) => {
      context.exit(await runSandbox(command, options, context.runtime));
    });
}

async function runSandbox(
  command: readonly string[],
  options: SandboxCommandOptions,
  runtime: Runtime,
): Promise<number> {
  // Listened for from the start, so that an early Ctrl-C leaves no directory behind.
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ENDING_SIGNALS) runtime.onSignal(signal, () => resolve(signal));
  });
  const { readWorldFile, startSandbox } = await import("../sandbox/index.js");
  const world = options.world === undefined ? {} : readWorldFile(path.resolve(runtime.cwd, options.world), runtime);
  const sandbox = await startSandbox(world, runtime);
  try {
    const env = { ...sandbox.env, ...(await offerSampleProfile(sandbox, runtime)) };
    const [first, ...rest] = command;
    if (first !== undefined) return await runAgainst([first, ...rest], sandbox, env, options, runtime);
    await announce(sandbox, env, options, runtime);
    await signalled;
    return EXIT.ok;
  } finally {
    await sandbox.close();
  }
}

async function runAgainst(
  command: readonly [string, ...string[]],
  sandbox: Sandbox,
  env: Readonly<Record<string, string>>,
  options: SandboxCommandOptions,
  runtime: Runtime,
): Promise<number> {
  const { runCommand, summarizeSandbox } = await import("../sandbox/index.js");
  if (options.quiet !== true) runtime.stderr.write(summarizeSandbox(sandbox));
  return runCommand(command, { ...runtime.env, ...env }, runtime);
}

/** The request token goes into a file only this user can read, not onto the screen. */
async function announce(
  sandbox: Sandbox,
  env: Readonly<Record<string, string>>,
  options: SandboxCommandOptions,
  runtime: Runtime,
): Promise<void> {
  const { exportLines, presentSandbox } = await import("../sandbox/index.js");
  const envFile = path.join(sandbox.dir, "env");
  writePrivateFile(envFile, exportLines(env), runtime.fs);
  runtime.stdout.write(options.quiet === true ? `. ${envFile}\n` : presentSandbox(sandbox, envFile));
}

/** A profile to start with, unless `run` would find a configuration of the user or the project. */
async function offerSampleProfile(sandbox: Sandbox, runtime: Runtime): Promise<Record<string, string>> {
  const [{ sampleProfile }, { findConfig }] = await Promise.all([
    import("../sandbox/index.js"),
    import("../config/index.js"),
  ]);
  const yaml = sampleProfile(sandbox.world);
  if (yaml === undefined || runtime.env["AGENTCTL_CONFIG"] || findConfig({}, runtime) !== undefined) return {};
  const file = path.join(sandbox.dir, "agentctl.yaml");
  writePrivateFile(file, yaml, runtime.fs);
  return { AGENTCTL_CONFIG: file };
}
