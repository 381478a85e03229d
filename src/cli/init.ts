import path from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CLOUD_NAMES, type CloudName } from "../core/profile.js";
import type { CiName, InitOutcome, InitRequest } from "../init/index.js";
import type { CliContext } from "./context.js";
import { printable } from "./printable.js";

interface InitOptions {
  readonly cloud?: readonly CloudName[];
  readonly profile?: string;
  readonly ci?: CiName | "none";
  readonly config?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly roleArn?: string;
  readonly region?: string;
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly subscriptionId?: string;
  readonly workloadIdentityProvider?: string;
  readonly serviceAccount?: string;
  readonly projectId?: string;
}

export function registerInit(program: Command, context: CliContext): void {
  program
    .command("init")
    .summary("write a first agentctl.yaml and a CI job")
    .description(
      "Write a first agentctl.yaml and a CI job. On a terminal it asks, with what it finds as the answers; elsewhere the flags are all it goes by. No service is asked, and no file of credentials is opened.",
    )
    .option("--cloud <names>", `the clouds, separated by commas: ${CLOUD_NAMES.join(", ")}`, parseClouds)
    .option("-p, --profile <name>", "the profile's name (default: deploy)")
    .option("--role-arn <arn>", "AWS: the role to assume")
    .option("--region <region>", "AWS: the region")
    .option("--tenant-id <tenant>", "Azure: the Microsoft Entra tenant")
    .option("--client-id <id>", "Azure: the application's client id")
    .option("--subscription-id <id>", "Azure: the subscription")
    .option("--workload-identity-provider <name>", "Google Cloud: projects/…/providers/…")
    .option("--service-account <email>", "Google Cloud: the service account")
    .option("--project-id <id>", "Google Cloud: the project")
    .addOption(
      new Option("--ci <provider>", "the CI job to write (default: what the repository has)").choices([
        "github",
        "gitlab",
        "none",
      ]),
    )
    .option(
      "--config <file>",
      "write the configuration here (default: agentctl.yaml in the repository's root)",
      parsePath,
    )
    .option("-y, --yes", "ask nothing, and take what is found")
    .option("--force", "replace files that are there")
    .addHelpText("after", EXAMPLES)
    .action(async (options: InitOptions) => {
      const { runInit } = await import("../init/index.js");
      report(await runInit(toRequest(options), context.runtime), context);
    });
}

function toRequest({ cloud, profile, ci, config, yes, force, ...rest }: InitOptions): InitRequest {
  const values = {
    role_arn: rest.roleArn,
    region: rest.region,
    tenant_id: rest.tenantId,
    client_id: rest.clientId,
    subscription_id: rest.subscriptionId,
    workload_identity_provider: rest.workloadIdentityProvider,
    service_account: rest.serviceAccount,
    project_id: rest.projectId,
  };
  return {
    values: Object.fromEntries(
      Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    yes: yes === true,
    force: force === true,
    ...(cloud !== undefined && { clouds: cloud }),
    ...(profile !== undefined && { profileName: profile }),
    ...(ci !== undefined && { ci }),
    ...(config !== undefined && { configPath: config }),
  };
}

function report({ written, unwritten, noJob, further, next }: InitOutcome, { runtime }: CliContext): void {
  const say = (text: string): void => runtime.stderr.write(`agentctl: ${printable(text)}\n`);
  for (const file of written) say(`wrote ${path.relative(runtime.cwd, file)}`);
  if (unwritten !== undefined) {
    say(`${path.relative(runtime.cwd, unwritten.file)} is there already; this is the job that would go there:`);
    runtime.stdout.write(unwritten.text);
  }
  if (noJob !== undefined) say(`note: ${noJob}`);
  say(`note: ${further}`);
  for (const step of next) say(`next: ${step}`);
}

function parseClouds(text: string): readonly CloudName[] {
  const named = text.split(",").map((name) => name.trim());
  const clouds = CLOUD_NAMES.filter((name) => named.includes(name));
  if (clouds.length > 0 && clouds.length === new Set(named).size) return clouds;
  throw new InvalidArgumentError(`Give some of ${CLOUD_NAMES.join(", ")}, separated by commas.`);
}

/** An unset variable in a script leaves an empty argument behind. */
function parsePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("Give a file.");
  return text;
}

const EXAMPLES = `
Examples:
  agentctl init
  agentctl init --cloud aws --role-arn arn:aws:iam::111122223333:role/agentctl-deploy --region eu-central-1 --ci github
  agentctl init --yes --force
`;
