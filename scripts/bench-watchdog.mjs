// What the watchdog costs: what its start adds before anything is issued, and what waits beside a run. The start is
// measured in a process of agentctl's size, and is not waited for: it happens while the identity's answer is on its way.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { median, printTable, showMs } from "./bench-figures.mjs";

const WAITING_NODE = "process.stdin.resume()";
const root = path.resolve(import.meta.dirname, "..");

export async function benchWatchdog(stage, rounds) {
  const startWatchdog = await loadWatchdog(stage.file("watchdog.mjs"));
  const samples = [];
  for (let round = -1; round < rounds; round += 1) {
    const sample = {
      ...(await sampleSpawn()),
      ...(await sampleWatchdog(startWatchdog, stage)),
      ...(await sampleNode()),
    };
    if (round >= 0) samples.push(sample);
  }
  const of = (name) => samples.map((sample) => sample[name]);
  printTable(
    ["start", "median", "slowest"],
    [
      ["Node's bare start of a shell, until Node goes on (ms)", "bareCalled"],
      ["the watchdog's start, until agentctl goes on (ms)", "called"],
      ["a bare shell, until its end is seen (ms)", "bareReady"],
      ["the watchdog, until it is ready (ms)", "ready"],
    ].map(([title, name]) => [title, showMs(median(of(name))), showMs(Math.max(...of(name)))]),
  );
  if (process.platform !== "linux") return;
  const [shell, node] = [median(of("shell")), median(of("node"))];
  printTable(
    ["memory of what waits, shared pages by their share", "MB", "of the other"],
    [
      ["the watchdog, a shell", shell.toFixed(2), `1/${(node / shell).toFixed(0)}`],
      ["a bare node that waits", node.toFixed(2), ""],
    ],
  );
}

async function loadWatchdog(outfile) {
  const entry = path.join(root, "src/lease/watchdog.ts");
  await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
  return (await import(outfile)).startWatchdog;
}

/** What no watchdog could do without. */
async function sampleSpawn() {
  const startedAt = performance.now();
  const shell = spawn("/bin/sh", ["-c", ":"], { stdio: "ignore", detached: true });
  const bareCalled = performance.now() - startedAt;
  await new Promise((resolve) => shell.once("exit", resolve));
  return { bareCalled, bareReady: performance.now() - startedAt };
}

async function sampleWatchdog(startWatchdog, stage) {
  let shell;
  const runtime = {
    fs,
    platform: process.platform,
    cwd: root,
    env: stage.plainEnv,
    self: [process.execPath, path.join(root, "bin/agentctl.js")],
    spawn: (...args) => {
      shell = spawn(...args);
      return shell;
    },
  };
  const startedAt = performance.now();
  const watchdog = startWatchdog({ leaseId: "l-bench", entryFile: stage.file("no-entry") }, runtime);
  const called = performance.now() - startedAt;
  await watchdog.ready;
  const ready = performance.now() - startedAt;
  const memory = { shell: proportionalMegabytes(findInSession(shell.pid)) };
  watchdog.release();
  return { called, ready, ...memory };
}

async function sampleNode() {
  const node = spawn(process.execPath, ["-e", `process.stdout.write(" ");${WAITING_NODE}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await new Promise((resolve) => node.stdout.once("data", resolve));
  const memory = { node: proportionalMegabytes(node.pid) };
  const ended = new Promise((resolve) => node.once("exit", resolve));
  node.stdin.end();
  await ended;
  return memory;
}

/** The watchdog is nobody's child, and alone in the session of the shell that it came from. */
function findInSession(session) {
  const found = spawnSync("ps", ["-o", "pid=", "-s", String(session)], { encoding: "utf8" });
  return Number(found.stdout);
}

/** The kernel's own sum (PSS): a page that n processes share counts as an nth of it. */
function proportionalMegabytes(pid) {
  if (process.platform !== "linux") return Number.NaN;
  const rollup = fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)[1]) / 1024;
}
