import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";
import { root } from "./setup.mjs";

/** The end-to-end tests wait for most of their time: more of them at once than there are cores. */
export const WORKERS = { TEST_WORKERS: String(availableParallelism() + 2) };

/** Runs vitest on some projects; in the gate, its figures go to VITEST_REPORT_DIR as well. Exits with vitest's code. */
export function runVitest(reportName, args, env = {}) {
  const dir = process.env.VITEST_REPORT_DIR;
  const report =
    dir === undefined
      ? []
      : ["--reporter=default", "--reporter=json", `--outputFile.json=${path.join(dir, `${reportName}.json`)}`];
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const result = spawnSync(process.execPath, [vitest, "run", ...args, ...report], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  process.exit(result.status ?? 1);
}
