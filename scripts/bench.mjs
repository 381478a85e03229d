// `npm run bench`: what agentctl costs, side by side from one run, against the embedded sandbox. The commands take
// turns, round by round, so that a machine that slows down slows them all. Medians of whole processes, in ms.
//   npm run bench [-- ROUNDS]
import { spawnSync } from "node:child_process";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";

ensureSetup();
const inner = [path.join(root, "scripts/bench-inside.mjs"), ...process.argv.slice(2)];
const agentctl = path.join(root, "bin/agentctl.js");
const result = spawnSync(process.execPath, [agentctl, "sandbox", "--quiet", "--", process.execPath, ...inner], {
  stdio: "inherit",
});
process.exit(result.status ?? 1);
