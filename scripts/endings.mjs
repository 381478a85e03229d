// `npm run endings [-- [--short] [--cloud NAME] [crash[=RUNS]|chaos|crowd[=LEASES]|watchdog]…]`: what becomes of leases that
// do not end in the ordinary way, against the embedded sandbox. Prints the tables of docs/figures.md; exits with 1 when
// anything is not as it has to be. On Linux, whose /proc tells what lives.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runChaos } from "./endings/chaos-part.mjs";
import { CLOUDS, TITLES } from "./endings/clouds.mjs";
import { runCrash } from "./endings/crash-part.mjs";
import { runCrowd } from "./endings/crowd-part.mjs";
import { runWatchdog } from "./endings/watchdog.mjs";
import { ensureSetup } from "./setup.mjs";

/** `sizes`: of a full run, and of a short one. */
const PARTS = {
  crash: { run: runCrash, sizes: { aws: [240, 10], gcp: [120, 8], azure: [120, 8] } },
  chaos: { run: runChaos },
  crowd: { run: runCrowd, sizes: { aws: [100, 12], gcp: [30, 6], azure: [8, 3] } },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: "boolean", default: false }, cloud: { type: "string", multiple: true, default: CLOUDS } },
});
const { short: isShort, cloud: clouds } = values;
const names = [...Object.keys(PARTS), "watchdog"];
const asked = positionals.length > 0 ? positionals.map((word) => word.split("=")) : names.map((name) => [name]);
for (const [name] of asked) expectOne(name, names);
for (const name of clouds) expectOne(name, CLOUDS);
if (process.platform !== "linux") throw new Error("endings are proved on Linux");

ensureSetup();
const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-endings-"));
process.on("exit", () => fs.rmSync(home, { recursive: true, force: true }));
const startedAt = performance.now();
let checks = 0;
let failed = 0;
if (asked.some(([name]) => name === "watchdog")) count(await runWatchdog({ home, isShort }));
const parts = clouds.flatMap((cloud) =>
  asked.filter(([name]) => name in PARTS).map((part) => () => runPart(part, cloud)),
);
// Figures are measured one part after the other; in a short run nobody reads them, and most of it is waiting.
if (isShort) await Promise.all(parts.map((run) => run()));
else for (const run of parts) await run();
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
process.stdout.write(`\n${seconds} s on ${os.cpus().length} cores\n${checks} checks, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

async function runPart([name, size], cloud) {
  const { run, sizes } = PARTS[name];
  const amount = Number(size ?? sizes?.[cloud][isShort ? 1 : 0]);
  count(await run({ home, cloud, title: TITLES[cloud], isShort, count: amount }));
}

function count(outcomes) {
  for (const problems of outcomes) {
    checks += 1;
    if (problems.length > 0) failed += 1;
    for (const problem of problems) process.stdout.write(`FAILED  ${problem}\n`);
  }
}

function expectOne(name, all) {
  if (!all.includes(name)) throw new Error(`there is no ${name}: ${all.join(", ")}`);
}
