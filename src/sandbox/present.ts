import { PLATFORMS } from "./oidc/platforms.js";
import { describeApp, describeServiceAccount } from "./present-rights.js";
import type { Sandbox } from "./sandbox.js";

/** What the sandbox holds, for a reader; the request token and the control address stay in the environment file. */
export function presentSandbox(sandbox: Sandbox, envFile: string): string {
  const { env, world } = sandbox;
  const rows: readonly (readonly [string, string])[] = [
    ["issuer", sandbox.issuer],
    ["subject", String({ ...PLATFORMS[world.platform].claims(), ...world.claims }["sub"])],
    ["CA", sandbox.caFile],
    ["AWS", `STS and IAM ${env["AWS_ENDPOINT_URL_STS"]}, S3 ${env["AWS_ENDPOINT_URL_S3"]}`],
    ["account", world.accountId],
    ...rowsOf("role", world.roles),
    ...rowsOf("bucket", world.buckets),
    ["Azure", `Entra, Resource Manager and Blob Storage ${env["AZURE_AUTHORITY_HOST"]}`],
    ["tenant", `${world.azure.tenantId}, subscription ${world.azure.subscriptionId}`],
    ...rowsOf("application", world.azure.apps, (_, app) => describeApp(app)),
    ...rowsOf("storage", world.azure.storageAccounts),
    [
      "Google Cloud",
      `STS, IAM, Resource Manager, Privileged Access Manager and Cloud Storage ${env["AGENTCTL_SANDBOX_GCS_URL"]}`,
    ],
    ["project", `${world.gcp.projectId}, number ${world.gcp.projectNumber}`],
    ...rowsOf("provider", world.gcp.providers),
    ...rowsOf("account", world.gcp.serviceAccounts, (email) => describeServiceAccount(email, world.gcp)),
    ...rowsOf("entitlement", world.gcp.entitlements, (_, { roles }) => roles.map(({ role }) => role).join("; ")),
    ...rowsOf("bucket", world.gcp.buckets),
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(12)} ${value}`);
  return `The sandbox is open, on this machine only:
${lines.join("\n")}
In another shell of yours:
  . ${envFile}
Ctrl-C closes it.
`;
}

function rowsOf<Held>(
  name: string,
  held: Readonly<Record<string, Held>>,
  describe?: (key: string, one: Held) => string,
): readonly (readonly [string, string])[] {
  return Object.entries(held).map(([key, one]) => [
    name,
    describe === undefined ? key : `${key} (${describe(key, one)})`,
  ]);
}

/** One line for stderr when a command follows. */
export function summarizeSandbox(sandbox: Sandbox): string {
  const { roles, azure, gcp } = sandbox.world;
  const clouds = [
    `AWS (${count(roles, "role")})`,
    `Azure (${count(azure.apps, "application")})`,
    `Google Cloud (${count(gcp.serviceAccounts, "service account")})`,
  ];
  return `agentctl: sandbox: OIDC issuer ${sandbox.issuer}; ${clouds.join(", ")}\n`;
}

function count(held: Readonly<Record<string, unknown>>, noun: string): string {
  const { length } = Object.keys(held);
  return `${length} ${noun}${length === 1 ? "" : "s"}`;
}

/** Lines for a POSIX shell to source. */
export function exportLines(env: Readonly<Record<string, string>>): string {
  const quote = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
  return Object.entries(env)
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}
