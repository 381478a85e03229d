// `npm run test:clients`: installs the pinned real clients into .cache/clients, then runs test/clients.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";
import { runVitest } from "./vitest.mjs";

ensureSetup();
const requirements = path.join(root, "test/clients/requirements.txt");
const venv = path.join(root, ".cache/clients/venv");
const stamp = path.join(venv, "requirements.txt");
const wanted = fs.readFileSync(requirements, "utf8");
if (!fs.existsSync(stamp) || fs.readFileSync(stamp, "utf8") !== wanted) {
  fs.rmSync(venv, { recursive: true, force: true });
  install("python3", ["-m", "venv", venv]);
  install(path.join(venv, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  fs.writeFileSync(stamp, wanted);
}
runVitest("clients", ["--project", "clients", ...process.argv.slice(2)], {
  AGENTCTL_TEST_CLIENTS: path.join(venv, "bin"),
});

function install(command, args) {
  process.stderr.write(`installing the real clients: ${path.basename(command)} ${args[0]} … \n`);
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status !== 0) process.exit(1);
}
