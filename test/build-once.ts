import { execFileSync } from "node:child_process";
import path from "node:path";

/** The end-to-end tests drive bin/agentctl.js, so the bundle has to be that of the sources under test. */
export function setup(): void {
  const root = path.resolve(import.meta.dirname, "..");
  execFileSync(process.execPath, [path.join(root, "scripts/build.mjs"), "--if-stale"], { cwd: root, stdio: "inherit" });
}
