import { type Command, InvalidArgumentError, Option } from "commander";
import type { Runtime } from "../core/runtime.js";
import type { SweepReport } from "../core/sweep-report.js";
import type { CliContext } from "./context.js";
import { renderError } from "./error.js";

interface SweepOptions {
  readonly cloud?: boolean;
  readonly profile?: string;
  readonly config?: string;
  readonly identity?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly asWatchdog?: boolean;
  readonly queued?: boolean;
}

export function registerLeaseSweep(lease: Command, context: CliContext): void {
  lease
    .command("sweep")
    .summary("finish the leases whose agentctl died")
    .description(
      "End what is left of the leases whose agentctl died before it could end them: their commands, their grants, their files. Leases whose agentctl is alive are left alone.",
    )
    .argument("[id...]", "only these; the beginning of an id will do")
    .option("--cloud", "look also in the clouds of the profiles for what leases without a ledger left there")
    .option("-p, --profile <name>", "only leases of this profile, and with --cloud only its clouds")
    .option(
      "--config <file>",
      "the configuration file (default: $AGENTCTL_CONFIG, else the nearest agentctl.yaml)",
      parsePath,
    )
    .option("--identity <source>", "where the OIDC identity comes from (default: each lease's own, else auto)")
    .option("--json", "print the report as JSON")
    .option("--quiet", "print nothing but errors")
    .addOption(new Option("--as-watchdog", "the agentctl of this lease has just died").hideHelp())
    .addOption(new Option("--queued", "the watchdog of this lease waits until its cloud can take it back").hideHelp())
    .addHelpText("after", NOTES)
    .action((ids: readonly string[], options: SweepOptions) => sweep(ids, options, context));
}

/** @throws {AgentctlError} NOT_TAKEN_BACK; why the first of the clouds that were not swept was not; what `sweepSession` throws */
async function sweep(ids: readonly string[], options: SweepOptions, { runtime }: CliContext): Promise<void> {
  const { sweepSession } = await import("../sweep-session.js");
  const { createObserver } = await import("./run-lines.js");
  const { explainUnended, explainUnswept, renderSweep } = await import("./sweep-lines.js");
  const isQuiet = options.quiet === true;
  const report = await sweepSession(toRequest(ids, options), createObserver(runtime, isQuiet), runtime);
  if (options.json === true) runtime.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else if (!isQuiet)
    runtime.stderr.write(
      belowPrompt(renderSweep(report, runtime.now()), options, runtime) || sayNothing(options, report),
    );
  const unended = explainUnended(report, ["unfinished", "unreadable", "busy"]);
  const [first, ...others] = [...(unended === undefined ? [] : [unended]), ...explainUnswept(report)];
  for (const error of others) runtime.stderr.write(renderError(error));
  if (first !== undefined) throw first;
}

/** A watchdog's terminal may show the shell's prompt by now. */
function belowPrompt(text: string, { asWatchdog }: SweepOptions, { stderr }: Pick<Runtime, "stderr">): string {
  return asWatchdog === true && stderr.isTTY && text !== "" ? `\n${text}` : text;
}

/** A watchdog whose agentctl was just in time has nothing to say to anybody. */
function sayNothing({ asWatchdog, cloud }: SweepOptions, { failures }: SweepReport): string {
  if (asWatchdog === true) return "";
  return cloud === true && failures.length === 0
    ? "agentctl: no lease needs sweeping, and there was no cloud to look in\n"
    : "agentctl: no lease needs sweeping\n";
}

function toRequest(ids: readonly string[], options: SweepOptions) {
  return {
    ids,
    cloud: options.cloud === true,
    asWatchdog: options.asWatchdog === true,
    ...(options.queued === true && { isQueued: true }),
    ...(options.profile !== undefined && { profileName: options.profile }),
    ...(options.config !== undefined && { configPath: options.config }),
    ...(options.identity !== undefined && { identitySource: options.identity }),
  };
}

/** An unset variable in a script leaves an empty argument behind. */
function parsePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("Give a file.");
  return text;
}

const NOTES = `
What another process is ending, such as a watchdog, is waited for, up to two minutes. An identity is needed only where
something has to be taken back: the lease's own source, and where that is not there, whichever is. What could not be
ended stays in the ledger, is told, and makes the exit code 79; but a lease that is queued, since its cloud takes it back
only later, is told and left to its watchdog, or to another one where that is gone. Run it where agentctl may have been
killed together with its watchdog: at the end of a CI job, and from a timer on a machine of your own.

With --cloud, a profile, a cloud or a part of one that cannot be swept, such as an application that is not let in, keeps
nothing else from it: each is told by name, and the first decides the exit code.

In GitHub Actions, as the last step of the job:
  - if: always()
    run: agentctl lease sweep

Examples:
  agentctl lease sweep
  agentctl lease sweep l-0H2K4N6Q8SAVCXEZ
  agentctl lease sweep --cloud -p deploy-web --json
`;
