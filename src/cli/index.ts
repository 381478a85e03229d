import { Command, CommanderError } from "commander";
import { AgentctlError, toAgentctlError } from "../core/errors.js";
import { EXIT } from "../core/exit-codes.js";
import type { Runtime } from "../core/runtime.js";
import { registerAudit } from "./audit.js";
import { registerComplete } from "./complete.js";
import { registerCompletion } from "./completion.js";
import type { CliContext } from "./context.js";
import { registerCredential } from "./credential.js";
import { registerDoctor } from "./doctor.js";
import { renderError } from "./error.js";
import { registerHelp } from "./help.js";
import { registerInit } from "./init.js";
import { registerLease } from "./lease.js";
import { registerLogin } from "./login.js";
import { registerLogout } from "./logout.js";
import { registerProfile } from "./profile.js";
import { registerRun } from "./run.js";
import { registerSandbox } from "./sandbox.js";
import { registerSetup } from "./setup.js";
import { registerWhoami } from "./whoami.js";

/** The one list of commands. */
const REGISTRATIONS = {
  run: registerRun,
  credential: registerCredential,
  whoami: registerWhoami,
  doctor: registerDoctor,
  init: registerInit,
  login: registerLogin,
  logout: registerLogout,
  profile: registerProfile,
  lease: registerLease,
  audit: registerAudit,
  setup: registerSetup,
  sandbox: registerSandbox,
  completion: registerCompletion,
  help: (program: Command, context: CliContext) => registerHelp(program, context, () => createProgram(context)),
  __complete: (program: Command, context: CliContext) =>
    registerComplete(program, context, () => createProgram(context)),
} as const;

/** Parses argv, runs one command, renders its error; answers the exit code. Commands load what they use when they run. */
export async function runCli(argv: readonly string[], runtime: Runtime): Promise<number> {
  let exitCode: number = EXIT.ok;
  const context: CliContext = {
    runtime,
    exit: (code) => {
      exitCode = code;
    },
  };
  try {
    assertPlatform(runtime);
    await createProgram(context, argv[0]).parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    const error = thrown instanceof CommanderError ? usageError(thrown) : toAgentctlError(thrown);
    runtime.stderr.write(renderError(error));
    return error.exitCode;
  }
}

/** With every command; or with the one that is called, since help and suggestions alone need the others. */
export function createProgram(context: CliContext, called = ""): Command {
  const { runtime } = context;
  const program = new Command("agentctl")
    .description(
      "sudo for cloud tasks: run one command with short-lived cloud credentials, narrowed to a named profile",
    )
    .version(runtime.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => runtime.stdout.write(text),
      writeErr: (text) => runtime.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => runtime.stdout.columns,
      getErrHelpWidth: () => runtime.stderr.columns,
    })
    .addHelpText("after", EXAMPLES);
  for (const [name, register] of Object.entries(REGISTRATIONS)) {
    if (name === called || !Object.hasOwn(REGISTRATIONS, called)) register(program, context);
  }
  return program;
}

function assertPlatform(runtime: Runtime): void {
  if (runtime.platform === "linux" || runtime.platform === "darwin") return;
  throw new AgentctlError("PLATFORM", `agentctl is not tested on ${runtime.platform} yet`, {
    hint: "run it on Linux or macOS; on Windows, inside WSL 2",
  });
}

/** commander's message without its own prefix; its help texts for a missing command are a usage error as well. */
function usageError(error: CommanderError): AgentctlError {
  const message = plainWords(error.message).replace(/\n\(Did you mean (.+)\?\)$/, "; did you mean $1?");
  if (error.code === "commander.help") return new AgentctlError("USAGE", "no command given");
  return new AgentctlError("USAGE", message, {
    hint:
      message === "missing required argument 'command'"
        ? "put the command and its arguments after --: agentctl run -p NAME -- COMMAND"
        : "agentctl --help lists the commands; agentctl COMMAND --help the options",
  });
}

/** commander says `command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh.` */
function plainWords(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(
      /^command-argument value '(.*)' is invalid for argument '(.*?)'\. Allowed choices are (.*)\.$/s,
      "$2 '$1' is not known; it is one of $3",
    )
    .replace(
      /^option '(.*?)' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s,
      "option '$1' takes one of $3, and not '$2'",
    );
}

const EXAMPLES = `
Examples:
  agentctl run -p deploy-web -- aws s3 sync ./site s3://example-site
  agentctl run -p deploy-web --dry-run -- aws s3 sync ./site s3://example-site
  agentctl sandbox -- agentctl run -p demo -- aws s3 ls s3://demo

agentctl help lists topics as well, such as config, environment and exit-codes.
`;
