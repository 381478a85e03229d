// `npm run endings [-- [--short] [crash[=RUNS]|chaos|crowd[=LEASES]|watchdog]…]`: what becomes of leases that do not end
// in the ordinary way, against the embedded sandbox. Prints the README's tables; exits with 1 when anything is not as it
// has to be. On Linux, whose /proc tells what lives.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runChaos } from "./endings-chaos-part.mjs";
import { runCrash } from "./endings-crash-part.mjs";
import { runCrowd } from "./endings-crowd-part.mjs";
import { runWatchdog } from "./endings-watchdog.mjs";
import { ensureSetup } from "./setup.mjs";

const PARTS = {
  crash: { run: runCrash, size: 300, short: 18 },
  chaos: { run: runChaos },
  crowd: { run: runCrowd, size: 100, short: 12 },
  watchdog: { run: runWatchdog },
};

const words = process.argv.slice(2);
const isShort = words.includes("--short");
const asked = words.filter((word) => word !== "--short").map((word) => word.split("="));
const unknown = asked.filter(([name]) => !(name in PARTS));
if (unknown.length > 0)
  throw new Error(`there is no part ${unknown.map(([name]) => name)}: ${Object.keys(PARTS).join(", ")}`);
if (process.platform !== "linux") throw new Error("endings are proved on Linux");

ensureSetup();
const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-endings-"));
process.on("exit", () => fs.rmSync(home, { recursive: true, force: true }));
const startedAt = performance.now();
const names = asked.length > 0 ? asked : Object.keys(PARTS).map((name) => [name]);
let checks = 0;
let failed = 0;
// Figures are measured one part after the other; in a short run nobody reads them.
if (isShort) await Promise.all(names.map(runPart));
else for (const each of names) await runPart(each);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
process.stdout.write(`\n${seconds} s on ${os.cpus().length} cores\n${checks} checks, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

async function runPart([name, size]) {
  const part = PARTS[name];
  const count = Number(size ?? (isShort ? part.short : part.size));
  for (const problems of await part.run({ home, isShort, count })) {
    checks += 1;
    if (problems.length > 0) failed += 1;
    for (const problem of problems) process.stdout.write(`FAILED  ${problem}\n`);
  }
}
