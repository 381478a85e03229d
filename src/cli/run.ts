import { type Command, InvalidArgumentError, Option } from "commander";
import { tryParseDuration } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import type { DeliveryMode } from "../core/profile.js";
import type { RunRequest } from "../core/run-request.js";
import type { CliContext } from "./context.js";
import { printable } from "./printable.js";

interface RunOptions {
  readonly profile?: string;
  readonly config?: string;
  readonly identity?: string;
  readonly ttl?: number;
  readonly deliver?: DeliveryMode;
  readonly intent?: string;
  readonly actor?: string;
  readonly passEnv?: readonly string[];
  readonly dryRun?: boolean;
  readonly receipt?: string;
  readonly quiet?: boolean;
}

export function registerRun(program: Command, context: CliContext): void {
  program
    .command("run")
    .summary("run one command with a profile's credentials")
    .description(
      "Trade the caller's OIDC identity for a profile's credentials, run one command with them, and end them.",
    )
    .usage("[-p NAME] [options] -- COMMAND [ARGS...]")
    .argument("<command...>", "the command and its arguments")
    .option("-p, --profile <name>", "the task profile in agentctl.yaml")
    .option(
      "--config <file>",
      "the configuration file (default: $AGENTCTL_CONFIG, else the nearest agentctl.yaml)",
      parsePath,
    )
    .option("--identity <source>", "where the OIDC identity comes from (default: detected)")
    .option("--ttl <duration>", "end the lease earlier than the profile does, such as 10m", parseTtl)
    .addOption(
      new Option("--deliver <mode>", "how the child is given the credentials").choices(["auto", "env", "endpoint"]),
    )
    .option("--intent <text>", "why it is run, for the audit log")
    .option("--actor <kind[:name]>", "who runs it: human, automation or agent (default: detected)")
    .option("--pass-env <name>", "keep a variable that would be removed; may be repeated", collectName)
    .option("--dry-run", "show what would be granted, and ask no cloud for anything")
    .option("--receipt <file>", "write the JSON account of the lease to a file", parsePath)
    .option("--quiet", "print nothing but errors and warnings")
    .addHelpText("after", EXAMPLES)
    .passThroughOptions()
    .action(async (argv: [string, ...string[]], options: RunOptions) => {
      const { runtime } = context;
      const request = toRequest(argv, options);
      if (options.quiet !== true) noteUnset(request.passEnv, context);
      const session = await import("../session.js");
      if (options.dryRun === true) {
        const { renderPreview } = await import("./run-preview.js");
        runtime.stdout.write(renderPreview(await session.previewSession(request, runtime), runtime));
        return;
      }
      const { createObserver } = await import("./run-lines.js");
      context.exit(await session.runSession(request, createObserver(runtime, options.quiet === true), runtime));
    });
}

function noteUnset(names: readonly string[], { runtime }: CliContext): void {
  for (const name of names.filter((name) => runtime.env[name] === undefined)) {
    runtime.stderr.write(`agentctl: ${printable(name)} is not set, so --pass-env has nothing to pass\n`);
  }
}

function toRequest(argv: [string, ...string[]], options: RunOptions): RunRequest {
  return {
    argv,
    passEnv: options.passEnv ?? [],
    ...(options.profile !== undefined && { profileName: options.profile }),
    ...(options.config !== undefined && { configPath: options.config }),
    ...(options.identity !== undefined && { identitySource: options.identity }),
    ...(options.ttl !== undefined && { ttlSeconds: options.ttl }),
    ...(options.deliver !== undefined && { deliver: options.deliver }),
    ...(options.intent !== undefined && { intent: options.intent }),
    ...(options.actor !== undefined && { actor: options.actor }),
    ...(options.receipt !== undefined && { receiptPath: options.receipt }),
  };
}

function parseTtl(text: string): number {
  const seconds = tryParseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError("Write it like 45s, 30m, 1h or 1h30m.");
  return seconds;
}

/** The argument is not repeated in the message: after a `=` stands what may be a secret. */
function collectName(name: string, all: readonly string[] = []): readonly string[] {
  if (/^[^=\s]+$/.test(name)) return [...all, name];
  throw new AgentctlError("USAGE", "--pass-env takes the name of a variable, and nothing else", {
    hint: "its value is the one that agentctl was started with; to set another: -- env NAME=VALUE COMMAND",
  });
}

/** An unset variable in a script leaves an empty argument behind. */
function parsePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("Give a file.");
  return text;
}

const EXAMPLES = `
The exit code is the command's own, or 128+n when signal n ended it. agentctl's own codes always come
with an error line: 64 usage, 69 unreachable, 70 defect, 74 record or state, 76 senseless answer or token,
77 denied, 78 configuration, 126/127 the command cannot be run or was not found.

Examples:
  agentctl run -p deploy-web -- aws s3 sync ./site s3://example-site
  agentctl run -p deploy-web --ttl 10m --intent "hotfix 4711" --receipt lease.json -- ./deploy.sh
  agentctl run -p deploy-web --dry-run -- ./deploy.sh
`;
