// aws-vault's server for the AWS container credentials, beside the endpoint. It asks no STS but AWS's own, so that it is
// given credentials by a process that only prints some: its time to the first answer is without an exchange.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { isInstalled } from "./bench-stage.mjs";

/** The start of a command line for a command that may ask aws-vault; undefined where there is none that works. */
export function startAwsVault(stage) {
  if (!isInstalled("aws-vault")) return undefined;
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  const keys = { AccessKeyId: "ASIAEXAMPLE", SecretAccessKey: "x".repeat(40), SessionToken: "x".repeat(600) };
  const credentials = stage.file("aws-vault.json");
  fs.writeFileSync(credentials, JSON.stringify({ Version: 1, ...keys, Expiration: expiration }), { mode: 0o600 });
  const config = `[profile bench]\nregion = us-east-1\ncredential_process = cat ${credentials}\n`;
  fs.writeFileSync(stage.file("aws-config"), config);
  const settings = {
    AWS_CONFIG_FILE: stage.file("aws-config"),
    AWS_VAULT_BACKEND: "file",
    AWS_VAULT_FILE_DIR: stage.file("aws-vault"),
    AWS_VAULT_FILE_PASSPHRASE: "bench",
    AWS_VAULT_PROMPT: "pass",
  };
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const start = ["env", ...assignments, "aws-vault", "exec", "--ecs-server", "bench", "--"];
  try {
    execFileSync(start[0], [...start.slice(1), "true"], { env: stage.env, stdio: ["ignore", "ignore", "pipe"] });
    return start;
  } catch (error) {
    process.stderr.write(`aws-vault does not start: left out (${String(error.stderr).trim().split("\n").at(-1)})\n`);
    return undefined;
  }
}
