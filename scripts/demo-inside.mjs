// The demo itself; runs inside `agentctl sandbox`, whose variables point every SDK at it. Fails when anything that it
// claims to show did not happen.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

class Unexpected extends Error {}

const agentctl = path.resolve(import.meta.dirname, "../bin/agentctl.js");
const example = path.resolve(import.meta.dirname, "../examples/demo");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-demo-"));
const receiptFile = path.join(scratch, "receipt.json");
const thiefLog = path.join(scratch, "thief.json");
const env = {
  ...process.env,
  AGENTCTL_STATE_DIR: path.join(scratch, "state"),
  AGENTCTL_CONFIG: path.join(example, "agentctl.yaml"),
  THIEF_LOG: thiefLog,
  // The job's own SDK has a notice for developers on Node 20; agentctl leaves its child's environment as it is.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
};

try {
  title("1. What would be granted? Nothing is issued.");
  await run("run", "-p", "nightly-report", "--dry-run", "--", "node", "report.mjs");

  title("2. Run the job, with one lease on all three clouds. It may read and write reports/, and nothing else.");
  await run("run", "-p", "nightly-report", "--receipt", receiptFile, "--", "node", "report.mjs");

  title("3. The job is over. A process that kept its keys goes on using them.");
  const receipt = JSON.parse(fs.readFileSync(receiptFile, "utf8"));
  const ending = receipt.endings.find(({ cloud }) => cloud === "aws");
  for (const { cloud, word, at } of receipt.endings) show(`the receipt says of ${cloud}: ${word} at ${at}`);
  expect(receipt.endings.length === 3, "one lease held all three clouds");
  const theft = await readWhenWritten(thiefLog);
  show(`the thief of the AWS keys read S3 ${theft.worked} times, and was refused at ${theft.refusedAt}`);
  show(`${theft.error}: ${theft.message}`);
  expect(
    theft.error === "AccessDenied" && theft.message.includes("explicit deny in a session policy"),
    "the keys are dead",
  );
  expect(Date.parse(theft.refusedAt) >= Date.parse(ending.at), "they died when the receipt says");

  title("4. What is on record?");
  await run("audit", "log");
  await run("audit", "verify", "--head", receipt.audit.head);
  await run("lease", "list");
  show("\nThat was the main job: proved by OIDC, narrowed, run, fenced, on record. Next: README.md");
} catch (error) {
  if (!(error instanceof Unexpected)) throw error;
  process.stderr.write(`the demo failed: expected that ${error.message}\n`);
  process.exitCode = 1;
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}

async function run(...args) {
  const shown = args.map((arg) => (arg.startsWith(scratch) ? path.basename(arg) : arg));
  process.stdout.write(`$ agentctl ${shown.join(" ")}\n`);
  const child = spawn(process.execPath, [agentctl, ...args], {
    env,
    cwd: example,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
  expect(code === 0, `agentctl ${args[0]} exits with 0 (it was ${code})`);
}

function expect(holds, what) {
  if (holds) return;
  throw new Unexpected(what);
}

async function readWhenWritten(file) {
  while (!fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 100));
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

function title(text) {
  process.stdout.write(`\n${text}\n\n`);
}

function show(text) {
  process.stdout.write(`${text}\n`);
}
