import { type Command, Option } from "commander";
import { CLOUD_TITLES } from "../core/cloud-titles.js";
import { AgentctlError } from "../core/errors.js";
import type { CloudName } from "../core/profile.js";
import { TRUST_FORMATS, type TrustFormat } from "../core/trust.js";
import type { SetupRequest } from "../setup-session.js";
import type { CliContext } from "./context.js";
import { printable } from "./printable.js";

interface SetupOptions {
  readonly profile?: string;
  readonly config?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly claim?: readonly string[];
  readonly pin?: readonly string[];
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

const WHAT: Readonly<Record<CloudName, string>> = {
  aws: "the OIDC provider, the profile's roles with a permissions boundary, and their policies",
  azure:
    "the federated credential of the profile's application, or of a managed identity with bicep, and what the granter may assign",
  gcp: "the workload identity pool and its provider, the service account, its roles on single buckets, and what the granter may give",
};

export function registerSetup(program: Command, context: CliContext): void {
  const setup = program
    .command("setup")
    .summary("print the cloud-side trust that a profile needs")
    .description(
      "Print the cloud's side of the trust for a profile, narrowed to one identity. Nothing is changed and no cloud is asked.",
    )
    .helpCommand(false)
    .addHelpText("after", examplesOf("aws"));
  for (const cloud of Object.keys(TRUST_FORMATS) as CloudName[]) registerCloud(setup, cloud, context);
}

function registerCloud(setup: Command, cloud: CloudName, context: CliContext): void {
  const formats = TRUST_FORMATS[cloud];
  setup
    .command(cloud)
    .summary(`print ${CLOUD_TITLES[cloud]}'s side`)
    .description(
      `Print ${CLOUD_TITLES[cloud]}'s side of the trust: ${WHAT[cloud]}. Narrowed to the identity at hand, or to one described.`,
    )
    .option("-p, --profile <name>", "the task profile in agentctl.yaml")
    .option("--config <file>", "the configuration file (default: $AGENTCTL_CONFIG, else the nearest agentctl.yaml)")
    .addOption(new Option("--format <format>", "the language to write").choices(formats).default(formats[0]))
    .option("--identity <source>", "where the OIDC identity comes from (default: detected)")
    .option("--issuer <url>", "the issuer of an identity that is not at hand, as in its `iss`")
    .option("--subject <subject>", "its subject, as in its `sub`")
    .option("--claim <name=value>", "a claim of it; may be repeated", collect)
    .option("--pin <name>", "tie the trust to this claim as well, such as job_workflow_ref; may be repeated", collect)
    .option("--out <file>", "write to a file that is not there yet")
    .option("--force", "with --out: replace the file")
    .option("--quiet", "print no notes on stderr")
    .addHelpText("after", `${REFUSALS}${examplesOf(cloud)}`)
    .action((options: SetupOptions) => printTrust(cloud, options, context));
}

async function printTrust(cloud: CloudName, options: SetupOptions, { runtime }: CliContext): Promise<void> {
  const request = toRequest(cloud, options);
  const { prepareTrust } = await import("../setup-session.js");
  const { text, notes } = await prepareTrust(request, runtime);
  if (options.out === undefined) runtime.stdout.write(text);
  else {
    const { writeOutput } = await import("./output-file.js");
    writeOutput(options.out, text, options.force === true, runtime);
    if (options.quiet !== true) runtime.stderr.write(`agentctl: wrote ${printable(options.out)}\n`);
  }
  if (options.quiet === true) return;
  for (const note of notes) runtime.stderr.write(`agentctl: note: ${printable(note)}\n`);
}

/** @throws {AgentctlError} USAGE */
function toRequest(cloud: CloudName, options: SetupOptions): SetupRequest {
  const described = describedBy(options);
  if (described !== undefined && options.identity !== undefined) {
    throw usage("--identity and --issuer exclude each other", "take the identity at hand, or describe one");
  }
  if (options.force === true && options.out === undefined) throw usage("--force is for --out", "name the file");
  return {
    cloud,
    format: options.format as TrustFormat,
    pins: options.pin ?? [],
    ...(options.profile !== undefined && { profileName: options.profile }),
    ...(options.config !== undefined && { configPath: options.config }),
    ...(options.identity !== undefined && { identitySource: options.identity }),
    ...(described !== undefined && { described }),
  };
}

function describedBy({ issuer, subject, claim = [] }: SetupOptions): SetupRequest["described"] {
  if (issuer === undefined && subject === undefined && claim.length === 0) return undefined;
  if (issuer === undefined || subject === undefined) {
    throw usage("an identity is described by --issuer and --subject together", "give both, and claims with --claim");
  }
  const claims = new Map<string, string>();
  for (const text of claim) {
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === "") throw usage("--claim takes NAME=VALUE", "such as --claim repository_id=123456789");
    if (claims.has(name)) throw usage(`the claim ${printable(name)} is given twice`, "a claim has one value");
    claims.set(name, value);
  }
  return { issuer, subject, claims: Object.fromEntries(claims) };
}

function usage(message: string, hint: string): AgentctlError {
  return new AgentctlError("USAGE", message, { hint });
}

function collect(value: string, all: readonly string[] = []): readonly string[] {
  return [...all, value];
}

const REFUSALS = `
Nothing is printed when others than this identity could use the trust: a wildcard, a pull request, a branch that is
not protected, a repository without its id, an issuer that everybody shares. It exits with 77 then, and says why.
`;

function examplesOf(cloud: CloudName): string {
  return `
Examples:
  agentctl setup ${cloud} -p deploy-web > trust.tf
  agentctl setup ${cloud} -p deploy-web --format cli --issuer https://token.actions.githubusercontent.com \\
    --subject repo:acme/site:environment:production --claim repository_id=123456789
`;
}
