// `npm run demo`: sets up where needed, then runs the main job in the embedded sandbox.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { ensureSetup, root } from "./setup.mjs";

ensureSetup();
const agentctl = path.join(root, "bin/agentctl.js");
const inside = path.join(root, "scripts/demo-inside.mjs");
const result = spawnSync(process.execPath, [agentctl, "sandbox", "--", process.execPath, inside], {
  stdio: "inherit",
  cwd: root,
});
process.exit(result.status ?? 1);
