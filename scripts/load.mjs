// `npm run load [-- COUNT]`: COUNT (200) `agentctl run` at once against one sandbox and one state directory. Every
// child has to run, the audit log has to verify and hold every lease, and nothing may be left open or behind.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";

ensureSetup();
const agentctl = path.join(root, "bin/agentctl.js");
const inside = [path.join(root, "scripts/load-inside.mjs"), ...process.argv.slice(2)];
const result = spawnSync(process.execPath, [agentctl, "sandbox", "--quiet", "--", process.execPath, ...inside], {
  stdio: "inherit",
});
process.exit(result.status ?? 1);
