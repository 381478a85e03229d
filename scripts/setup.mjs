// What `npm run demo` and `npm test` need on a clean clone: installed packages and the bundle. Quiet when both are there.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export const root = path.resolve(import.meta.dirname, "..");

export function ensureSetup() {
  if (!isInstalled())
    step("installing packages (npm ci)", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  const built = fs.existsSync(path.join(root, "dist/bundle.json"));
  const args = [path.join(root, "scripts/build.mjs"), "--if-stale"];
  if (built) run(process.execPath, args);
  else step("building dist/", process.execPath, args);
}

/** npm writes node_modules/.package-lock.json when it has installed what package-lock.json says. */
function isInstalled() {
  // Somebody else's packages, which `npm ci` would empty.
  if (fs.lstatSync(path.join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  const installed = fs.statSync(path.join(root, "node_modules/.package-lock.json"), { throwIfNoEntry: false });
  return installed !== undefined && installed.mtimeMs >= fs.statSync(path.join(root, "package-lock.json")).mtimeMs;
}

function step(what, command, args) {
  process.stderr.write(`setting up: ${what} … `);
  const startedAt = Date.now();
  run(command, args);
  process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (result.status === 0) return;
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}`;
  process.stderr.write(`failed\n${output}\n${command} ${args.join(" ")} could not be run: the reason is above\n`);
  process.exit(1);
}
