// The measuring half of `npm run bench`; runs inside `agentctl sandbox`, whose variables point at it.
import os from "node:os";
import { benchEndpoint } from "./bench-endpoint.mjs";
import { openStage } from "./bench-stage.mjs";
import { benchMemory, benchStartup } from "./bench-startup.mjs";
import { benchWatchdog } from "./bench-watchdog.mjs";

const rounds = Number(process.argv[2] ?? 9);
const parts = { startup: benchStartup, memory: benchMemory, watchdog: benchWatchdog, endpoint: benchEndpoint };
const chosen = process.argv.length > 3 ? process.argv.slice(3) : Object.keys(parts);
const stage = openStage();
const startedAt = performance.now();
try {
  for (const part of chosen) await parts[part](stage, rounds);
  const took = `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  const machine = `Node ${process.version}, ${os.cpus().length} cores (${os.cpus()[0]?.model.trim()})`;
  process.stdout.write(`\n${rounds} rounds after one warm-up; ${machine}; took ${took}\n`);
} finally {
  stage.remove();
}
