// The measuring half of `npm run bench`; runs inside `agentctl sandbox`, whose variables point at it.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const rounds = Number(process.argv[2] ?? 15);
const agentctl = path.resolve(import.meta.dirname, "../bin/agentctl.js");
const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-bench-"));
const env = {
  ...process.env,
  HOME: home,
  XDG_CACHE_HOME: path.join(home, "cache"),
  AGENTCTL_STATE_DIR: path.join(home, "state"),
};

try {
  const token = await mintToken("sts.amazonaws.com");
  const tokenFile = path.join(home, "token");
  fs.writeFileSync(tokenFile, token, { mode: 0o600 });
  const run = (...command) => [process.execPath, agentctl, "run", "-p", "demo", "--quiet", "--", ...command];
  const contenders = [
    { name: "node -e 0", argv: [process.execPath, "-e", "0"] },
    { name: "agentctl --version", argv: [process.execPath, agentctl, "--version"] },
    { name: "agentctl run -- true (AWS)", argv: run("true") },
    ...awsCli(tokenFile),
  ];
  const times = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, argv } of contenders) {
      const elapsed = time(argv);
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
  const runMemory = memoryMb(run("sh", "-c", residentSize()));
  process.stdout.write("\n");
  print(["", "resident MB", "over bare node", ""]);
  print(["node, with a child", bareMemory.toFixed(1), "", ""]);
  print(["agentctl run, with a child", runMemory.toFixed(1), `+${(runMemory - bareMemory).toFixed(1)}`, ""]);
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

/** The same exchange by the AWS CLI, where it is installed. */
function awsCli(tokenFile) {
  if (spawnSync("aws", ["--version"], { stdio: "ignore" }).status !== 0) {
    process.stderr.write("aws is not on PATH: left out\n");
    return [];
  }
  const role = "arn:aws:iam::111122223333:role/agentctl-demo";
  const exchange = ["aws", "sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "bench"];
  return [
    {
      name: "aws sts assume-role-with-web-identity",
      argv: [...exchange, "--web-identity-token", `file://${tokenFile}`],
    },
  ];
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
