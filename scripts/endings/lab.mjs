// A place for runs of agentctl that are to be ended in some way: its own home and state, the proxy before the sandbox, and
// a socket over which the commands under a lease tell their keys (`npm run endings`).
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { loadCloud } from "./clouds.mjs";
import { kill, processesWith } from "./processes.mjs";
import { startProxy } from "./proxy.mjs";
import { auditRecords } from "./state.mjs";

const agentctl = path.resolve(import.meta.dirname, "../../bin/agentctl.js");
const child = path.join(import.meta.dirname, "child.mjs");

/** @param cloudName which of the clouds the leases are in */
export async function openLab(cloudName) {
  const cloud = await loadCloud(cloudName);
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-endings-"));
  const state = path.join(home, "state");
  const config = path.join(home, "agentctl.yaml");
  const caFile = path.join(home, "ca.pem");
  fs.writeFileSync(config, writeProfiles(cloud), { mode: 0o600 });
  const proxy = await startProxy(cloud, caFile);
  const socket = path.join(home, "socket");
  const told = new EventEmitter();
  const server = net.createServer((connection) => listenTo(connection, told)).listen(socket);
  await once(server, "listening");
  const env = {
    ...process.env,
    HOME: home,
    XDG_CACHE_HOME: path.join(home, "cache"),
    AGENTCTL_STATE_DIR: state,
    AGENTCTL_CONFIG: config,
    ...Object.fromEntries(Object.entries(cloud.upstream.variables).map(([name, at]) => [name, `${proxy.url}${at}`])),
    ...(cloud.upstream.tls && { NODE_EXTRA_CA_CERTS: caFile }),
    ENDINGS_CLOUD: cloudName,
    ENDINGS_SOCKET: socket,
  };
  const clear = () => {
    // Watchdogs too, or they would end leases in a home that is gone.
    for (const { pid } of processesWith(`ENDINGS_SOCKET=${socket}`)) kill(pid);
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  process.on("exit", clear);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
  const side = await cloud.openSide();
  return {
    cloud,
    home,
    state,
    proxy,
    /** What is there in the cloud itself. */
    side,
    start: (order) => startRun(order, { env, told, home, state }),
    /** Runs agentctl to its end. */
    agentctl: (args, more = {}) => finish(spawn(process.execPath, [agentctl, ...args], { env: { ...env, ...more } })),
    close: async () => {
      server.close();
      side.close();
      await proxy.close();
      clear();
    },
  };
}

function writeProfiles({ profiles }) {
  const blocks = Object.entries(profiles).map(([name, block]) => `  ${name}: ${block}\n`);
  return `version: 1\ndefaults: { ttl: 5m, grace: 1s }\nprofiles:\n${blocks.join("")}`;
}

/**
 * Starts `agentctl run` in a session of its own, as a runner does that has no terminal. `child` and `daemon` resolve to
 * what they told, each with `exit()` and `gone`.
 */
function startRun({ profile, traits = [], args = [], through = [] }, { env, told, home, state }) {
  const mark = randomBytes(8).toString("hex");
  const receipt = path.join(home, `receipt-${mark}.json`);
  const withReceipt = traits.includes("receipt") ? ["--receipt", receipt] : [];
  const command = [agentctl, "run", "-p", profile, ...withReceipt, ...args, "--", process.execPath, child, ...traits];
  const [program, ...first] = [...through, process.execPath];
  const run = spawn(program, [...first, ...command], {
    env: { ...env, ENDINGS_MARK: mark },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const startedAt = performance.now();
  const exited = finish(run).then((result) => ({ ...result, endedAt: performance.now() }));
  return {
    pid: run.pid,
    mark,
    receipt,
    recordsBefore: auditRecords(state).length,
    startedAt,
    exited,
    child: onceTold(told, `child ${mark}`),
    daemon: traits.includes("daemon") ? onceTold(told, `daemon ${mark}`) : undefined,
    processes: () => processesWith(`ENDINGS_MARK=${mark}`),
  };
}

function onceTold(told, name) {
  return new Promise((resolve) => told.once(name, resolve));
}

/** One line says who it is; the connection lasts as long as the process. */
function listenTo(connection, told) {
  let text = "";
  const gone = new Promise((resolve) => connection.on("close", () => resolve(performance.now())));
  // A process that was killed meanwhile can be told nothing.
  connection.on("error", () => {});
  connection.on("data", (chunk) => {
    text += chunk;
    if (!text.endsWith("\n")) return;
    const report = JSON.parse(text);
    told.emit(`${report.kind} ${report.mark}`, {
      ...report,
      toldAt: performance.now(),
      gone,
      exit: () => connection.end("exit\n"),
    });
  });
}

function finish(run) {
  let stdout = "";
  let stderr = "";
  run.stdout?.on("data", (text) => {
    stdout += text;
  });
  run.stderr.on("data", (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    run.on("error", reject);
    // Not `close`, which waits for whatever else has stderr.
    run.on("exit", (code, signal) =>
      setImmediate(() =>
        resolve({
          code,
          signal,
          stdout,
          get stderr() {
            return stderr;
          },
        }),
      ),
    );
  });
}
