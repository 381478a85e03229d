import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { withFileLock } from "../../src/core/file-lock.js";
import { fakeRuntime } from "../fake-runtime.js";

/**
 * `count LOCK COUNTER`: adds one to the number in COUNTER, in a way that loses numbers unless it is alone.
 * `hold LOCK`: takes the lock, says so, and never lets go.
 */
const [mode, lockFile = "", counterFile = ""] = process.argv.slice(2);
const runtime = fakeRuntime({
  sleep: (ms) => sleep(ms),
  random: Math.random,
  kill: (pid, signal) => {
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  },
});

async function addOne(): Promise<void> {
  const count = Number(readFileSync(counterFile, "utf8"));
  await nextTurn();
  writeFileSync(counterFile, String(count + 1));
}

async function holdForever(): Promise<void> {
  writeSync(1, "held\n");
  await sleep(600_000);
}

await withFileLock(lockFile, mode === "count" ? addOne : holdForever, runtime, { timeoutMs: 60_000 });
