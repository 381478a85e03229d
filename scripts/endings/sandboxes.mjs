// Runs a script of `npm run endings` inside a sandbox of its own, and answers what it wrote down.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { root } from "../setup.mjs";

const agentctl = path.join(root, "bin/agentctl.js");
/** Bundles that this machine's owner trusts cost 40 ms each time that one is read. */
const BUNDLES = ["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"];
const outer = Object.fromEntries(Object.entries(process.env).filter(([name]) => !BUNDLES.includes(name)));
let number = 0;
const running = new Set();
process.on("exit", () => {
  for (const run of running) run.kill("SIGTERM");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** `{results, problem}`: one object for each line that the script wrote. */
export async function inSandbox(home, script, args = []) {
  number += 1;
  const file = path.join(home, `results-${number}.jsonl`);
  fs.writeFileSync(file, "");
  // AWS's SDK, which only the scripts take from node_modules, says by when it will want a newer Node.
  const inner = [process.execPath, "--no-warnings", path.join(import.meta.dirname, script), file, ...args.map(String)];
  const run = spawn(process.execPath, [agentctl, "sandbox", "--quiet", "--", ...inner], {
    env: outer,
    stdio: ["ignore", "inherit", "inherit"],
  });
  running.add(run);
  const code = await new Promise((resolve, reject) => run.on("error", reject).on("exit", resolve));
  running.delete(run);
  const lines = fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
  return {
    results: lines.map((line) => JSON.parse(line)),
    ...(code !== 0 && { problem: `${script} exited with ${code}` }),
  };
}

/** Runs them, so many at a time. */
export async function inTurns(tasks, width) {
  const results = new Array(tasks.length);
  let next = 0;
  const work = async () => {
    for (let index = next++; index < tasks.length; index = next++) results[index] = await tasks[index]();
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
