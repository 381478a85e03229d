import type { Sandbox } from "./sandbox.js";

/** What the sandbox holds, for a reader; the request token and the control address stay in the environment file. */
export function presentSandbox(sandbox: Sandbox, envFile: string): string {
  const { env, world } = sandbox;
  const rows: readonly (readonly [string, string])[] = [
    ["issuer", sandbox.issuer],
    ["subject", String(world.claims["sub"] ?? "repo:acme/site:ref:refs/heads/main")],
    ["AWS STS", env["AWS_ENDPOINT_URL_STS"] ?? ""],
    ["AWS S3", env["AWS_ENDPOINT_URL_S3"] ?? ""],
    ["CA", sandbox.caFile],
    ["account", world.accountId],
    ...Object.keys(world.roles).map((arn) => ["role", arn] as const),
    ...Object.keys(world.buckets).map((bucket) => ["bucket", bucket] as const),
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}`);
  return `The sandbox is open, on this machine only:
${lines.join("\n")}
In another shell of yours:
  . ${envFile}
Ctrl-C closes it.
`;
}

/** One line for stderr when a command follows. */
export function summarizeSandbox(sandbox: Sandbox): string {
  const { roles, buckets } = sandbox.world;
  const held = `${Object.keys(roles).length} roles, buckets ${Object.keys(buckets).join(", ")}`;
  return `agentctl: sandbox: OIDC issuer ${sandbox.issuer}, AWS STS and S3 (${held})\n`;
}

/** Lines for a POSIX shell to source. */
export function exportLines(env: Readonly<Record<string, string>>): string {
  const quote = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
  return Object.entries(env)
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join("");
}
