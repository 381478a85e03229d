// The working half of `npm run load`; runs inside `agentctl sandbox`.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const PROFILE = `version: 1
profiles:
  aws:
    aws: { role_arn: "arn:aws:iam::111122223333:role/agentctl-demo", region: us-east-1 }
`;

const count = Number(process.argv[2] ?? 200);
const agentctl = path.resolve(import.meta.dirname, "../bin/agentctl.js");
const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-load-"));
const state = path.join(home, "state");
const env = { ...process.env, HOME: home, XDG_CACHE_HOME: path.join(home, "cache"), AGENTCTL_STATE_DIR: state };
env.AGENTCTL_CONFIG = path.join(home, "agentctl.yaml");
fs.writeFileSync(env.AGENTCTL_CONFIG, PROFILE, { mode: 0o600 });
const ran = path.join(home, "ran");
fs.mkdirSync(ran);

try {
  const startedAt = process.hrtime.bigint();
  const outcomes = await Promise.all(Array.from({ length: count }, (_, number) => runOne(number)));
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  const failed = outcomes.filter(({ code }) => code !== 0);
  for (const { stderr } of failed.slice(0, 3)) process.stderr.write(stderr);

  const lines = fs.readFileSync(path.join(state, "audit/audit.jsonl"), "utf8").trimEnd().split("\n");
  const ended = new Set(
    lines
      .map((line) => JSON.parse(line))
      .filter(({ kind }) => kind === "lease.end")
      .map(({ lease }) => lease),
  );
  const verified = spawnSync(process.execPath, [agentctl, "audit", "verify"], { env, encoding: "utf8" });
  check(failed.length === 0, `${count - failed.length} of ${count} exited with 0`);
  check(fs.readdirSync(ran).length === count, `${fs.readdirSync(ran).length} of ${count} children ran`);
  check(
    ended.size === count && lines.length === 2 * count,
    `${lines.length} records, of ${ended.size} leases that ended`,
  );
  check(verified.status === 0, `audit verify: ${(verified.stdout || verified.stderr).trim()}`);
  check(fs.readdirSync(path.join(state, "leases")).length === 0, "no lease is left open");
  check(fs.readdirSync(path.join(state, "run")).length === 0, "no private file is left");
  process.stdout.write(`${count} at once took ${seconds.toFixed(1)} s on ${os.cpus().length} cores\n`);
} finally {
  fs.rmSync(home, { recursive: true, force: true });
}

function runOne(number) {
  const child = spawn(
    process.execPath,
    [agentctl, "run", "-p", "aws", "--quiet", "--", "touch", path.join(ran, String(number))],
    {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  // The sandbox that all of them ask is one process on the same cores, as no cloud is.
  os.setPriority(child.pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  let stderr = "";
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => child.on("error", reject).on("close", (code) => resolve({ code, stderr })));
}

function check(holds, what) {
  process.stdout.write(`${holds ? "ok" : "FAILED"}  ${what}\n`);
  if (!holds) process.exitCode = 1;
}
