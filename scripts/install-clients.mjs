// Installs the pinned real clients into .cache/clients: before `npm run test:clients`, or by itself beside other work.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { root } from "./setup.mjs";

const installed = path.join(root, ".cache/clients");
const venv = path.join(installed, "venv");
const azVenv = path.join(installed, "az-venv");

/** Where the commands are. In this order: `python3` is to be the one that has the libraries. */
export const CLIENT_PATHS = [venv, azVenv].map((dir) => path.join(dir, "bin"));

if (process.argv[1] === import.meta.filename) await installClients();

/** Exits with 1 where one of them cannot be installed. */
export async function installClients() {
  // Side by side: what takes the time is fetching, and az, of 150 packages and 390 MB, takes most of it.
  await Promise.all([
    ensureInstalled(venv, ["requirements.txt"], (requirements) => installPython(venv, requirements)),
    // Not compiled: each of its commands loads a part of it, and compiling all would double the time and the size.
    ensureInstalled(azVenv, ["requirements-az.txt"], (requirements) =>
      installPython(azVenv, requirements, ["--no-compile"]),
    ),
    ensureInstalled(path.join(installed, "npm"), ["npm/package.json", "npm/package-lock.json"], installNpm),
  ]);
}

/** Installs into an empty directory unless it was done from the same lists, of which it keeps a stamp. */
async function ensureInstalled(dir, lists, installFrom) {
  const files = lists.map((name) => path.join(root, "test/clients", name));
  const wanted = files.map((file) => fs.readFileSync(file, "utf8")).join("");
  const stamp = path.join(dir, "installed-from");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted) return;
  fs.rmSync(dir, { recursive: true, force: true });
  const startedAt = Date.now();
  await installFrom(...files);
  fs.writeFileSync(stamp, wanted);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  process.stderr.write(`installed the real clients of ${lists[0]}: ${seconds} s\n`);
}

async function installPython(dir, requirements, options = []) {
  await run("python3", ["-m", "venv", dir]);
  const pip = path.join(dir, "bin/pip");
  await run(pip, ["install", "--quiet", "--disable-pip-version-check", ...options, "-r", requirements]);
}

async function installNpm(...lists) {
  const dir = path.join(installed, "npm");
  fs.mkdirSync(dir, { recursive: true });
  for (const list of lists) fs.copyFileSync(list, path.join(dir, path.basename(list)));
  await run("npm", ["ci", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error"]);
}

async function run(command, args) {
  process.stderr.write(`installing the real clients: ${path.basename(command)} ${args[0]} … \n`);
  const [code] = await once(spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }), "exit");
  if (code !== 0) process.exit(1);
}
