// What a run costs beside a bare process and the clouds' own command lines: whole processes, and memory.
import fs from "node:fs";
import { median, printTable, takeTurns } from "./bench-figures.mjs";
import { isInstalled, mintToken, PROVIDER, ROLE, SERVICE_ACCOUNT } from "./bench-stage.mjs";

const MEMORY_ROUNDS = 5;
/** Of the process above the shell, in KB. */
const RESIDENT_SIZE = "ps -o rss= -p $PPID";

export async function benchStartup(stage, rounds) {
  const { lease } = stage;
  const aws = isInstalled("aws") ? await awsExchange(stage) : [];
  const gcloud = isInstalled("gcloud") ? await gcloudLogin(stage) : [];
  const plain = [
    ["`node -e 0`", [process.execPath, "-e", "0"]],
    ["`agentctl --version`", [process.execPath, stage.agentctl, "--version"]],
  ].map(([name, argv]) => ({ name, measure: () => stage.run(argv, stage.plainEnv).elapsedMs }));
  const runs = [
    ["`agentctl run -- true`, AWS", lease("aws", "--", "true")],
    ["`agentctl run -- true`, three clouds", lease("all", "--", "true")],
    ...(aws.length > 0 ? [["the AWS exchange by the AWS CLI", ...aws]] : []),
    ...(aws.length > 0 && gcloud.length > 0
      ? [["AWS and Google Cloud by the AWS CLI, then gcloud", ...aws, ...gcloud]]
      : []),
  ].map(([name, ...commands]) => ({
    name,
    measure: () => commands.reduce((total, argv) => total + stage.run(argv).elapsedMs, 0),
  }));
  const medians = [...takeTurns([...plain, ...runs], rounds)].map(([name, samples]) => [name, median(samples)]);
  const bare = medians[0][1];
  printTable(
    ["whole process", "ms", "over bare node", "× bare node"],
    medians.map(([name, ms], index) => {
      const over = index === 0 ? "" : `+${(ms - bare).toFixed(0)}`;
      return [name, ms.toFixed(0), over, (ms / bare).toFixed(2)];
    }),
  );
}

export function benchMemory(stage) {
  const shell = ["sh", "-c", RESIDENT_SIZE];
  const bare = `require("child_process").spawnSync("sh", ["-c", ${JSON.stringify(RESIDENT_SIZE)}], { stdio: "inherit" })`;
  const contenders = [
    ["node, with a child", [process.execPath, "-e", bare], stage.plainEnv],
    ["`agentctl run`, AWS by variables", stage.lease("aws", "--", ...shell)],
    ["`agentctl run`, AWS by the endpoint", stage.lease("aws-endpoint", "--", ...shell)],
    ["`agentctl run`, three clouds", stage.lease("all", "--", ...shell)],
  ].map(([name, argv, env]) => ({ name, measure: () => Number(stage.run(argv, env).stdout) / 1024 }));
  const medians = [...takeTurns(contenders, MEMORY_ROUNDS)].map(([name, samples]) => [name, median(samples)]);
  const [[, least]] = medians;
  printTable(
    ["resident", "MB", "over bare node"],
    medians.map(([name, mb], index) => [name, mb.toFixed(1), index === 0 ? "" : `+${(mb - least).toFixed(1)}`]),
  );
}

async function awsExchange(stage) {
  const tokenFile = await writeToken(stage, "aws-token", "sts.amazonaws.com");
  const exchange = ["aws", "sts", "assume-role-with-web-identity", "--role-arn", ROLE, "--role-session-name", "bench"];
  return [[...exchange, "--web-identity-token", `file://${tokenFile}`]];
}

/** Signing in and asking for a token, as a script does with gcloud. */
async function gcloudLogin(stage) {
  const google = stage.env.AGENTCTL_SANDBOX_GCS_URL;
  const config = {
    type: "external_account",
    audience: `//iam.googleapis.com/${PROVIDER}`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${google}/v1/token`,
    service_account_impersonation_url: `${google}/v1/projects/-/serviceAccounts/${SERVICE_ACCOUNT}:generateAccessToken`,
    credential_source: { file: await writeToken(stage, "google-token", `https://iam.googleapis.com/${PROVIDER}`) },
  };
  const configFile = stage.file("google.json");
  fs.writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
  stage.env.CLOUDSDK_CONFIG = stage.file("gcloud");
  // google-auth, which gcloud uses for this, reads no CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE.
  stage.env.REQUESTS_CA_BUNDLE = stage.env.AWS_CA_BUNDLE;
  return [
    ["gcloud", "auth", "login", `--cred-file=${configFile}`, "--quiet"],
    ["gcloud", "auth", "print-access-token"],
  ];
}

async function writeToken(stage, name, audience) {
  const file = stage.file(name);
  fs.writeFileSync(file, await mintToken(audience), { mode: 0o600 });
  return file;
}
