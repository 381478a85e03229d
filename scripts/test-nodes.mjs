// Runs the end-to-end tests of the life of a lease on the other supported versions of Node, which npm packages carry.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";

const VERSIONS = ["22.23.3", "24.21.0"];

ensureSetup();
const platform = `node-${process.platform}-${process.arch}`;
let failed = false;
for (const version of VERSIONS) {
  const prefix = path.join(root, ".cache/nodes", version);
  const node = path.join(prefix, "node_modules", platform, "bin/node");
  if (!fs.existsSync(node)) {
    const install = [
      "install",
      "--prefix",
      prefix,
      "--no-save",
      "--ignore-scripts",
      "--loglevel=error",
      `${platform}@${version}`,
    ];
    const result = spawnSync("npm", install, { cwd: root, encoding: "utf8" });
    if (result.status !== 0) {
      process.stderr.write(`cannot install ${platform}@${version}:\n${result.stderr}`);
      process.exit(1);
    }
  }
  process.stdout.write(`Node ${spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim()}\n`);
  const tests = spawnSync(process.execPath, [path.join(root, "scripts/test-node.mjs"), version], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, AGENTCTL_TEST_NODE: node },
  });
  failed ||= tests.status !== 0;
}
process.exit(failed ? 1 : 0);
