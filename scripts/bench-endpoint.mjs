// What the lease's endpoint costs who asks it, beside a server of Node's with nothing behind it, and aws-vault's. Who asks
// is the child of a lease, or else it is refused; it shares the machine's cores with who answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { startAwsVault } from "./bench-aws-vault.mjs";
import { median, percentile, printTable, showMs, takeTurns } from "./bench-figures.mjs";

const CACHED_MS = 300;
const PACED_MS = 8_000;
const PACED_ROUNDS = 2;
const NAMES = { bare: "bare Node server", aws: "AWS container credentials", gcp: "Google token exchange" };
NAMES.azure = "Azure managed identity";

// What the sandbox sets for its authority makes each start of Node's slower; what asks does not need it.
const asker = [
  "env",
  "-u",
  "NODE_EXTRA_CA_CERTS",
  process.execPath,
  path.resolve(import.meta.dirname, "bench-asker.mjs"),
];

export async function benchEndpoint(stage, rounds) {
  const bare = await startBareServer();
  const vault = startAwsVault(stage);
  try {
    benchCached(stage, rounds, bare.target, vault);
    benchCold(stage, rounds, bare.target, vault);
    benchFirst(stage, rounds, bare.target, vault);
    benchRenewal(stage);
  } finally {
    bare.stop();
  }
}

async function startBareServer() {
  const program = path.resolve(import.meta.dirname, "bench-bare.mjs");
  const server = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(server.stdout, "data");
  return { target: `bare=${String(line).trim()}`, stop: () => server.stdin.end() };
}

function askIn(stage, start, ...args) {
  return JSON.parse(stage.run([...start, ...asker, ...args.map(String)]).stdout);
}

function benchCached(stage, rounds, bare, vault) {
  const ask = (start, ...targets) => askIn(stage, start, "cached", rounds, CACHED_MS, ...targets);
  const named = (cell) => ({ ...cell, name: NAMES[cell.target.split("=")[0]] });
  const cells = ask(stage.lease("all-endpoint", "--"), bare, "aws", "gcp", "azure").map(named);
  if (vault !== undefined) cells.push(...ask(vault, "aws").map((cell) => ({ ...cell, name: "aws-vault's server" })));
  const isLike = (one, other) => one.isKept === other.isKept && one.concurrency === other.concurrency;
  const rows = cells.map((cell) => {
    const base = cells.find((other) => other.target === bare && isLike(cell, other));
    const connection = cell.isKept ? "kept" : "fresh";
    const times = [showMs(cell.p50), showMs(cell.p99), (base.perSecond / cell.perSecond).toFixed(2)];
    return [cell.name, connection, String(cell.concurrency), cell.perSecond.toFixed(0), ...times];
  });
  printTable(["cached answers", "connection", "askers", "a second", "p50 ms", "p99 ms", "× bare"], rows);
}

function benchCold(stage, rounds, bare, vault) {
  const own = askIn(stage, stage.lease("aws-endpoint", "--"), "cold", rounds, bare, "aws");
  const other = vault === undefined ? [] : askIn(stage, vault, "cold", rounds, "aws");
  const names = [NAMES.bare, "`agentctl run`, AWS", "aws-vault's server"];
  const [least] = own.map(({ times }) => median(times));
  const rows = [...own, ...other].map(({ times }, index) => {
    const ms = median(times);
    return [names[index], showMs(ms), showMs(Math.max(...times)), (ms / least).toFixed(2)];
  });
  printTable(["a process's first answer", "ms", "slowest", "× bare"], rows);
}

/** From the start of the command line that starts all to the answer in the child. */
function benchFirst(stage, rounds, bare, vault) {
  const contenders = [
    ["node, asking the bare server", [], bare],
    ["`agentctl run -- node`, AWS", stage.lease("aws-endpoint", "--"), "aws"],
    ["`agentctl run -- node`, three clouds", stage.lease("all-endpoint", "--"), "aws"],
    ...(vault === undefined ? [] : [["`aws-vault exec --ecs-server -- node`, without an exchange", vault, "aws"]]),
  ].map(([name, start, target]) => ({
    name,
    measure: () => {
      const startedAt = Date.now();
      return askIn(stage, start, "once", target).answeredAt - startedAt;
    },
  }));
  const medians = [...takeTurns(contenders, rounds)].map(([name, samples]) => [name, median(samples)]);
  const [[, least]] = medians;
  const rows = medians.map(([name, ms], index) => {
    return [name, ms.toFixed(0), index === 0 ? "" : `+${(ms - least).toFixed(0)}`, (ms / least).toFixed(2)];
  });
  printTable(["start to first answer", "ms", "over bare node", "× bare node"], rows);
}

function benchRenewal(stage) {
  const receipt = stage.file("receipt.json");
  const found = { steady: { times: [], renewed: 0 }, renewed: { times: [], renewed: 0 } };
  for (let round = 0; round < PACED_ROUNDS; round += 1) {
    for (const [profile, each] of Object.entries(found)) {
      each.times.push(...askIn(stage, stage.lease(profile, "--receipt", receipt, "--"), "paced", PACED_MS, "aws"));
      const { renewals } = JSON.parse(fs.readFileSync(receipt, "utf8"));
      each.renewed += renewals.reduce((sum, { renewed }) => sum + renewed, 0);
    }
  }
  const rows = Object.values(found).map(({ times, renewed }) => {
    const figures = [50, 99, 99.9, 100].map((percent) => showMs(percentile(times, percent)));
    return [renewed === 0 ? "nothing re-issued" : `${renewed} re-issues in ${showSeconds()} s`, ...figures];
  });
  printTable(["200 answers a second", "p50 ms", "p99 ms", "p99.9 ms", "slowest"], rows);
}

function showSeconds() {
  return (PACED_ROUNDS * PACED_MS) / 1000;
}
