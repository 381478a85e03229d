import path from "node:path";
import type { Command } from "commander";
import { EXIT } from "../core/exit-codes.js";
import { writePrivateFile } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import type { Sandbox } from "../sandbox/index.js";
import type { CliContext } from "./context.js";

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
    .addHelpText("after", HELP)
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

const HELP = `
By default it holds an AWS account (111122223333) with
  role agentctl-demo      reads and writes bucket demo; trusts repo:acme/site:ref:refs/heads/main
  role agentctl-chained   reads and writes bucket demo; trusts agentctl-demo
  role agentctl-revoker   puts and deletes the inline policies of those two; trusts as agentctl-demo does
  buckets demo and other
a tenant of Microsoft Entra with an application that lists resource groups and reads and writes container demo of
storage account agentctldemo; a Google Cloud project with a service account that reads and writes bucket demo;
and, where run would find no agentctl.yaml, a sample one with the profiles demo and demo-readonly.

A world file replaces any of these parts; a policy is written out or named by its JSON file:
  account: "123456789012"
  audiences: [sts.amazonaws.com]
  platform: github                   # or gitlab or kubernetes: how COMMAND finds its identity, and what it says
  claims: { sub: "repo:acme/site:environment:prod", environment: prod }
  issuer: { url: "https://login.example.com", jwks: login-keys.json }   # whose tokens are trusted, not the sandbox's own
  roles:
    arn:aws:iam::123456789012:role/deploy:
      policies: [deploy-policy.json]
      trust: deploy-trust.json
      inline_policies: { s3: s3-policy.json }
      permissions_boundary: { arn: "arn:aws:iam::123456789012:policy/boundary", document: boundary.json }
      max_session_duration: 3600
  iam_propagation_ms: 2000           # how long a change of a role's inline policies takes until it counts
  managed_policies: { "arn:aws:iam::aws:policy/ReadOnlyAccess": readonly.json }
  buckets: { site: { index.html: "<h1>hello</h1>" } }
  azure:
    tenant_id: …                     # likewise domain, subscription_id, resource_groups, token_lifetime (seconds)
    apps:
      00001111-aaaa-2222-bbbb-3333cccc4444:
        federated_credentials: [{ issuer: "https://token.actions.githubusercontent.com", subject: "repo:acme/site:environment:prod" }]
        roles: [{ role: Storage Blob Data Reader, scope: /subscriptions/…/resourceGroups/web }]
    storage_accounts: { acmesite: { resource_group: web, containers: { site: { index.html: "<h1>hello</h1>" } } } }
  gcp:
    project_id: acme                 # likewise project_number, bindings
    providers:
      projects/123456789012/locations/global/workloadIdentityPools/ci-pool/providers/github:
        issuer: https://token.actions.githubusercontent.com
        attribute_mapping: { google.subject: assertion.sub }
        attribute_condition: assertion.repository_owner_id == "600000001"
    service_accounts: { deploy@acme.iam.gserviceaccount.com: { bindings: [{ role: roles/iam.workloadIdentityUser, members: ["principal://…"] }] } }
    buckets: { site: { objects: { index.html: hello }, bindings: [{ role: roles/storage.objectViewer, members: ["serviceAccount:…"] }] } }
Where trust names the issuer of GitHub (https://token.actions.githubusercontent.com), of GitLab (https://gitlab.com) or
of a cluster (https://kubernetes.default.svc.cluster.local), the sandbox's own stands in for it on that platform.

COMMAND finds, besides what the clouds' SDKs read, AGENTCTL_SANDBOX_BLOB_URL, …_ARM_URL, …_GCS_URL and
…_TOKENINFO_URL, and AGENTCTL_SANDBOX_CONTROL_URL, which misbehaves on demand:
  curl -d '{"service":"sts","kind":"throttle","times":2}' $AGENTCTL_SANDBOX_CONTROL_URL/faults
  services: oidc, sts, iam, s3; entra, arm, blob; gcp-sts, iamcredentials, tokeninfo, gcs
  kinds: latency (latencyMs), throttle, error (status, code), garbage, cut, deny; also operation, after, times
  curl -X DELETE $AGENTCTL_SANDBOX_CONTROL_URL/faults; curl $AGENTCTL_SANDBOX_CONTROL_URL/requests
  curl -d '{"offsetMs":3600000}' $AGENTCTL_SANDBOX_CONTROL_URL/clock
  curl -d '{"propagationMs":5000}' $AGENTCTL_SANDBOX_CONTROL_URL/iam; curl $AGENTCTL_SANDBOX_CONTROL_URL/iam

Examples:
  agentctl sandbox -- agentctl run -p demo -- aws s3 ls s3://demo
  agentctl sandbox --world test/world.yaml -- make test
`;
