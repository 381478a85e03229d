// The measuring half of `npm run bench`; runs inside `agentctl sandbox`, whose variables point at it.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const rounds = Number(process.argv[2] ?? 15);
const ROLE = "arn:aws:iam::111122223333:role/agentctl-demo";
const PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/demo-pool/providers/github";
const SERVICE_ACCOUNT = "demo@agentctl-demo.iam.gserviceaccount.com";

const agentctl = path.resolve(import.meta.dirname, "../bin/agentctl.js");
const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-bench-"));
const env = {
  ...process.env,
  HOME: home,
  XDG_CACHE_HOME: path.join(home, "cache"),
  AGENTCTL_STATE_DIR: path.join(home, "state"),
};

try {
  fs.writeFileSync(path.join(home, "agentctl.yaml"), profiles(), { mode: 0o600 });
  env.AGENTCTL_CONFIG = path.join(home, "agentctl.yaml");
  const run = (profile, ...command) => [process.execPath, agentctl, "run", "-p", profile, "--quiet", "--", ...command];
  const aws = await awsCli();
  const gcloud = await gcloudCli();
  const contenders = [
    { name: "node -e 0", commands: [[process.execPath, "-e", "0"]] },
    { name: "agentctl --version", commands: [[process.execPath, agentctl, "--version"]] },
    { name: "agentctl run -- true, AWS", commands: [run("aws", "true")] },
    { name: "agentctl run -- true, three clouds", commands: [run("all", "true")] },
    ...(aws.length > 0 ? [{ name: "the AWS exchange by aws", commands: aws }] : []),
    ...(aws.length > 0 && gcloud.length > 0
      ? [{ name: "AWS and Google Cloud by aws, then gcloud", commands: [...aws, ...gcloud] }]
      : []),
  ];
  const times = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, commands } of contenders) {
      const elapsed = commands.reduce((total, argv) => total + time(argv), 0);
      if (round >= 0) times.get(name).push(elapsed);
    }
  }
  const bare = median(times.get("node -e 0"));
  print(["", "median ms", "over bare node", "× bare node"]);
  for (const [name, values] of times) {
    const value = median(values);
    print([name, value.toFixed(0), `+${(value - bare).toFixed(0)}`, (value / bare).toFixed(2)]);
  }
  const bareMemory = memoryMb([
    process.execPath,
    "-e",
    `require("child_process").spawnSync("sh", ["-c", ${JSON.stringify(residentSize())}], { stdio: "inherit" })`,
  ]);
  const runMemory = memoryMb(run("aws", "sh", "-c", residentSize()));
  const allMemory = memoryMb(run("all", "sh", "-c", residentSize()));
  process.stdout.write("\n");
  print(["", "resident MB", "over bare node", ""]);
  print(["node, with a child", bareMemory.toFixed(1), "", ""]);
  print(["agentctl run, AWS", runMemory.toFixed(1), `+${(runMemory - bareMemory).toFixed(1)}`, ""]);
  print(["agentctl run, three clouds", allMemory.toFixed(1), `+${(allMemory - bareMemory).toFixed(1)}`, ""]);
  process.stdout.write(
    `\n${rounds} rounds after one warm-up; Node ${process.version}, ${os.cpus().length} cores (${os.cpus()[0]?.model.trim()})\n`,
  );
} finally {
  fs.rmSync(home, { recursive: true, force: true });
}

function time(argv) {
  const startedAt = process.hrtime.bigint();
  const result = spawnSync(argv[0], argv.slice(1), { env, stdio: ["ignore", "ignore", "pipe"] });
  const elapsed = Number(process.hrtime.bigint() - startedAt) / 1e6;
  if (result.status !== 0) throw new Error(`${argv.join(" ")} exited with ${result.status}: ${result.stderr}`);
  return elapsed;
}

/** The sandbox's demo role alone, and with its application and service account. */
function profiles() {
  return `version: 1
profiles:
  aws:
    aws: { role_arn: "${ROLE}", region: us-east-1 }
  all:
    extends: aws
    azure: { tenant_id: aaaabbbb-0000-cccc-1111-dddd2222eeee, client_id: 00001111-aaaa-2222-bbbb-3333cccc4444 }
    gcp: { workload_identity_provider: ${PROVIDER}, service_account: ${SERVICE_ACCOUNT} }
`;
}

/** The same exchange by the AWS CLI, where it is installed. */
async function awsCli() {
  if (!isInstalled("aws")) return [];
  const tokenFile = await writeToken("aws-token", "sts.amazonaws.com");
  const exchange = ["aws", "sts", "assume-role-with-web-identity", "--role-arn", ROLE, "--role-session-name", "bench"];
  return [[...exchange, "--web-identity-token", `file://${tokenFile}`]];
}

/** Signing in and asking for a token, as a script does with gcloud, where it is installed. */
async function gcloudCli() {
  if (!isInstalled("gcloud")) return [];
  const google = env.AGENTCTL_SANDBOX_GCS_URL;
  const config = {
    type: "external_account",
    audience: `//iam.googleapis.com/${PROVIDER}`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${google}/v1/token`,
    service_account_impersonation_url: `${google}/v1/projects/-/serviceAccounts/${SERVICE_ACCOUNT}:generateAccessToken`,
    credential_source: { file: await writeToken("google-token", `https://iam.googleapis.com/${PROVIDER}`) },
  };
  const configFile = path.join(home, "google.json");
  fs.writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  env.CLOUDSDK_CONFIG = path.join(home, "gcloud");
  // google-auth, which gcloud uses for this, reads no CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE.
  env.REQUESTS_CA_BUNDLE = env.AWS_CA_BUNDLE;
  return [
    ["gcloud", "auth", "login", `--cred-file=${configFile}`, "--quiet"],
    ["gcloud", "auth", "print-access-token"],
  ];
}

function isInstalled(command) {
  const found = spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
  if (!found) process.stderr.write(`${command} is not on PATH: left out\n`);
  return found;
}

async function writeToken(name, audience) {
  const file = path.join(home, name);
  fs.writeFileSync(file, await mintToken(audience), { mode: 0o600 });
  return file;
}

async function mintToken(audience) {
  const url = new URL(process.env.ACTIONS_ID_TOKEN_REQUEST_URL);
  url.searchParams.set("audience", audience);
  const answer = await fetch(url, {
    headers: { authorization: `bearer ${process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` },
  });
  return (await answer.json()).value;
}

/** The resident size of the process above the shell, as `ps` has it, in KB. */
function residentSize() {
  return "ps -o rss= -p $PPID";
}

function memoryMb(argv) {
  const samples = Array.from({ length: 5 }, () => {
    const result = spawnSync(argv[0], argv.slice(1), { env, encoding: "utf8" });
    if (result.status !== 0) throw new Error(`${argv.join(" ")} exited with ${result.status}: ${result.stderr}`);
    return Number(result.stdout.trim()) / 1024;
  });
  return median(samples);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function print([name, ...columns]) {
  process.stdout.write(`${name.padEnd(40)}${columns.map((column) => column.padStart(16)).join("")}\n`);
}
