// `npm run test:package`: packs the package, installs it globally into an empty prefix with no scripts allowed, and runs it there.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";

ensureSetup();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-package-"));
try {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", scratch]));
  const prefix = path.join(scratch, "prefix");
  const tarball = path.join(scratch, packed.filename);
  run("npm", ["install", "--global", "--prefix", prefix, "--ignore-scripts", "--no-audit", "--no-fund", tarball]);
  const agentctl = path.join(prefix, "bin/agentctl");
  const env = { ...process.env, HOME: scratch, AGENTCTL_STATE_DIR: path.join(scratch, "state") };
  const version = run(agentctl, ["--version"], env).trim();
  expect(version === packed.version, `agentctl --version prints ${packed.version}, not ${version}`);
  const example = path.join(root, "examples/demo/agentctl.yaml");
  expect(run(agentctl, ["profile", "lint", "--config", example], env).includes("0 errors"), "profile lint works");
  const args = [
    "sandbox",
    "--quiet",
    "--",
    agentctl,
    "run",
    "-p",
    "demo",
    "--quiet",
    "--",
    "sh",
    "-c",
    "echo $AGENTCTL_PROFILE",
  ];
  expect(run(agentctl, args, env).trim() === "demo", "a lease lives in the sandbox");
  const files = packed.files.map(({ path: name }) => name);
  for (const name of ["schema/agentctl.schema.json", "dist/THIRD_PARTY_LICENSES", "README.md", "CHANGELOG.md"]) {
    expect(files.includes(name), `the package holds ${name}`);
  }
  expect(!files.some((name) => /^(src|test|scripts)\//.test(name)), "the package holds no sources");
  process.stdout.write(`${packed.filename}: ${files.length} files, ${(packed.size / 1e6).toFixed(1)} MB packed\n`);
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}

function run(command, args, env = process.env) {
  const result = spawnSync(command, args, { cwd: command === "npm" ? root : scratch, env, encoding: "utf8" });
  expect(result.status === 0, `${path.basename(command)} ${args[0]} exits with 0\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

function expect(holds, what) {
  if (holds) return;
  process.stderr.write(`failed: ${what}\n`);
  fs.rmSync(scratch, { recursive: true, force: true });
  process.exit(1);
}
