import { type Command, Option } from "commander";
import { toAgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import type { CredentialRequest } from "../credential/index.js";
import type { CliContext } from "./context.js";

interface CredentialOptions {
  readonly profile?: string;
  readonly config?: string;
  readonly identity?: string;
  readonly scope?: string;
  readonly format?: "executable" | "token";
}

export function registerCredential(program: Command, context: CliContext): void {
  const credential = program
    .command("credential")
    .summary("hand one cloud's credential to a tool that asks a helper")
    .description("Hand one cloud's credential of a profile to a tool that asks a helper for it, as JSON on stdout.")
    .helpCommand(false)
    .addHelpText("after", `${BEHAVIOUR}${EXAMPLES}`);
  registerAws(credential, context);
  registerAzure(credential, context);
  registerGcp(credential, context);
}

function registerAws(credential: Command, { runtime }: CliContext): void {
  addCommand(credential, "aws", "print AWS keys in the form of credential_process")
    .addHelpText("after", `${BEHAVIOUR}${AWS_EXAMPLES}`)
    .action(async (options: CredentialOptions) => {
      await answer({ cloud: "aws", format: "process", ...selectionOf(options) }, runtime);
    });
}

function registerAzure(credential: Command, { runtime }: CliContext): void {
  addCommand(credential, "azure", "print an Azure token in the form of az account get-access-token")
    .option("--scope <scope>", "one of the profile's scopes (default: the first)")
    .addHelpText("after", `${BEHAVIOUR}${AZURE_EXAMPLES}`)
    .action(async (options: CredentialOptions) => {
      const scope = options.scope === undefined ? {} : { scope: options.scope };
      await answer({ cloud: "azure", format: "az", ...selectionOf(options), ...scope }, runtime);
    });
}

function registerGcp(credential: Command, context: CliContext): void {
  const format = new Option("--format <format>", "for an executable-sourced account, or an access token")
    .choices(["executable", "token"])
    .default("executable");
  addCommand(credential, "gcp", "print what Google's executable-sourced accounts read, or an access token")
    .addOption(format)
    .addHelpText("after", `${EXECUTABLE}${BEHAVIOUR}${GCP_EXAMPLES}`)
    .action(async (options: CredentialOptions) => {
      const format = options.format ?? "executable";
      const request: CredentialRequest = { cloud: "gcp", format, ...selectionOf(options) };
      await (format === "token" ? answer(request, context.runtime) : answerExecutable(request, context.runtime));
    });
}

function addCommand(credential: Command, name: string, summary: string): Command {
  return credential
    .command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .option("-p, --profile <name>", "the task profile (default: that of the surrounding lease)")
    .option("--config <file>", "the configuration file (default: $AGENTCTL_CONFIG, else the nearest agentctl.yaml)")
    .option("--identity <source>", "where the OIDC identity comes from (default: detected)");
}

function selectionOf({ profile, config, identity }: CredentialOptions): Omit<CredentialRequest, "cloud" | "format"> {
  return {
    ...(profile !== undefined && { profileName: profile }),
    ...(config !== undefined && { configPath: config }),
    ...(identity !== undefined && { identitySource: identity }),
  };
}

async function answer(request: CredentialRequest, runtime: Runtime): Promise<void> {
  const { obtainCredential } = await import("../credential-session.js");
  const { renderCredential } = await import("../credential/index.js");
  const { createObserver } = await import("./run-lines.js");
  const credential = await obtainCredential(request, createObserver(runtime, false), runtime);
  runtime.stdout.write(renderCredential(credential, runtime.now()));
}

/**
 * Google's libraries read stderr as a part of the answer, so that nothing is told there; and of a program that fails
 * by its exit code most show no more than that, so that to them a failure is an answer too.
 */
async function answerExecutable(request: CredentialRequest, runtime: Runtime): Promise<void> {
  const { obtainCredential } = await import("../credential-session.js");
  const { isCalledByGoogle, renderCredential, renderExecutableFailure } = await import("../credential/index.js");
  try {
    const credential = await obtainCredential(request, () => {}, runtime);
    runtime.stdout.write(renderCredential(credential, runtime.now()));
  } catch (thrown) {
    const error = toAgentctlError(thrown);
    runtime.stdout.write(renderExecutableFailure(error));
    if (!isCalledByGoogle(runtime.env)) throw error;
  }
}

const BEHAVIOUR = `
In a lease of the profile (agentctl run) nothing is issued: the answer is what the lease has given. Elsewhere each
call is a lease of its own, on record, for the profile's ttl and an hour at most; a profile with commands has to
permit "agentctl credential *". A profile with revoke: required, or with roles for the time of a lease, is refused: a
credential that is handed out has no end at which they could be taken back. For more than a few calls, start the tool with agentctl run.
`;

const EXECUTABLE = `
executable hands out the caller's ID token for the profile's provider, which the tool's own configuration trades: its
scopes and service account are the tool's to keep, so a profile with an access_boundary is refused. token hands out
an access token within the profile.
`;

const EXAMPLES = `
Examples:
  agentctl credential aws -p deploy-web
  agentctl credential gcp -p deploy-web --format token
`;

const AWS_EXAMPLES = `
In ~/.aws/config: credential_process = agentctl credential aws -p deploy-web

Examples:
  agentctl credential aws -p deploy-web
  agentctl credential aws -p deploy-web | jq -r .Expiration
`;

const AZURE_EXAMPLES = `
Examples:
  agentctl credential azure -p deploy-web
  agentctl credential azure -p deploy-web --scope https://storage.azure.com/.default | jq -r .accessToken
`;

const GCP_EXAMPLES = `
Examples:
  agentctl credential gcp -p deploy-web
  agentctl credential gcp -p deploy-web --format token | jq -r .access_token
  gcloud iam workload-identity-pools create-cred-config PROVIDER --output-file=account.json \\
    --executable-command="agentctl credential gcp -p deploy-web"
`;
