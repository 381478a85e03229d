import type { Command } from "commander";
import type { ProfileSummary } from "../config/index.js";
import type { CliContext } from "./context.js";
import { printable } from "./printable.js";
import { renderTable } from "./table.js";

interface ProfileOptions {
  readonly config?: string;
  readonly json?: boolean;
}

const CONFIG_OPTION = [
  "--config <file>",
  "the configuration file (default: $AGENTCTL_CONFIG, else the nearest agentctl.yaml)",
] as const;

export function registerProfile(program: Command, context: CliContext): void {
  const profile = program
    .command("profile")
    .summary("show and check the profiles")
    .description("Show and check the profiles of the configuration.")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  registerList(profile, context);
  registerShow(profile, context);
  registerLint(profile, context);
}

function registerList(profile: Command, { runtime }: CliContext): void {
  profile
    .command("list")
    .summary("list the profiles")
    .description("List the profiles of the project's file and of the user's own.")
    .option(...CONFIG_OPTION)
    .option("--json", "print a JSON array")
    .addHelpText("after", LIST_EXAMPLES)
    .action(async (options: ProfileOptions) => {
      const { listProfiles } = await import("../config/index.js");
      const profiles = listProfiles(selectionOf(options), runtime);
      if (options.json === true) runtime.stdout.write(`${JSON.stringify(profiles, null, 2)}\n`);
      else if (profiles.length === 0) runtime.stderr.write("agentctl: no profiles\n");
      else runtime.stdout.write(renderTable(["name", "clouds", "description"], profiles.map(toRow)));
    });
}

function registerShow(profile: Command, { runtime }: CliContext): void {
  profile
    .command("show")
    .summary("print one profile, resolved")
    .description("Print a profile with everything that it extends, every default and its session policy.")
    .argument("<name>", "the profile")
    .option(...CONFIG_OPTION)
    .option("--json", "print JSON instead of YAML")
    .addHelpText("after", SHOW_EXAMPLES)
    .action(async (name: string, options: ProfileOptions) => {
      const { loadProfile, presentProfile, renderProfile } = await import("../config/index.js");
      const shown = loadProfile({ ...selectionOf(options), profileName: name }, runtime);
      const text = options.json === true ? `${JSON.stringify(presentProfile(shown), null, 2)}\n` : renderProfile(shown);
      runtime.stdout.write(text.split("\n").map(printable).join("\n"));
    });
}

function registerLint(profile: Command, { runtime }: CliContext): void {
  profile
    .command("lint")
    .summary("check the configuration and its session policies")
    .description(
      "Check the configuration, its session policies against what AWS knows, and what is left of AWS's 2,048 characters.",
    )
    .argument("[name]", "only this profile")
    .option(...CONFIG_OPTION)
    .option("--json", "print a JSON object")
    .addHelpText("after", LINT_EXAMPLES)
    .action(async (name: string | undefined, options: ProfileOptions) => {
      const { lintProfiles } = await import("./profile-lint.js");
      const selection = { ...selectionOf(options), ...(name !== undefined && { profileName: name }) };
      await lintProfiles(selection, options.json === true, runtime);
    });
}

function selectionOf(options: ProfileOptions): { readonly configPath?: string } {
  return options.config === undefined ? {} : { configPath: options.config };
}

function toRow({ name, clouds, description }: ProfileSummary): readonly string[] {
  return [name, clouds.length === 0 ? "(to be extended)" : clouds.join(", "), description ?? ""];
}

const EXAMPLES = `
Examples:
  agentctl profile list
  agentctl profile lint
`;

const LIST_EXAMPLES = `
Examples:
  agentctl profile list
  agentctl profile list --json | jq -r '.[].name'
`;

const SHOW_EXAMPLES = `
Examples:
  agentctl profile show deploy-web
  agentctl profile show deploy-web --json | jq .aws.session_policy
`;

const LINT_EXAMPLES = `
Exits with 78 when there is an error; warnings and notes alone are no failure.

Examples:
  agentctl profile lint
  agentctl profile lint deploy-web --json | jq '.findings[] | select(.severity != "info")'
`;
