// `npm run test:clients`: installs the pinned real clients into .cache/clients, then runs test/clients.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";
import { runVitest } from "./vitest.mjs";

ensureSetup();
const venv = path.join(root, ".cache/clients/venv");
const npm = path.join(root, ".cache/clients/npm");
ensureInstalled(venv, ["requirements.txt"], (requirements) => {
  install("python3", ["-m", "venv", venv]);
  install(path.join(venv, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
});
ensureInstalled(npm, ["npm/package.json", "npm/package-lock.json"], (...lists) => {
  fs.mkdirSync(npm, { recursive: true });
  for (const list of lists) fs.copyFileSync(list, path.join(npm, path.basename(list)));
  install("npm", ["ci", "--prefix", npm, "--no-audit", "--no-fund", "--loglevel=error"]);
});
runVitest("clients", ["--project", "clients", ...process.argv.slice(2)], {
  AGENTCTL_TEST_CLIENTS: path.join(venv, "bin"),
});

/** Installs into an empty directory unless it was done from the same lists, of which it keeps a stamp. */
function ensureInstalled(dir, lists, installFrom) {
  const files = lists.map((name) => path.join(root, "test/clients", name));
  const wanted = files.map((file) => fs.readFileSync(file, "utf8")).join("");
  const stamp = path.join(dir, "installed-from");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted) return;
  fs.rmSync(dir, { recursive: true, force: true });
  installFrom(...files);
  fs.writeFileSync(stamp, wanted);
}

function install(command, args) {
  process.stderr.write(`installing the real clients: ${path.basename(command)} ${args[0]} … \n`);
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) process.exit(1);
}
