// Waiting, for `npm run endings`: for something, and never without end.
import { setTimeout as sleep } from "node:timers/promises";

/** Polls until it holds, and answers whether it did in time. */
export async function until(holds, timeoutMs = 60_000, everyMs = 20) {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await sleep(everyMs);
  }
  return true;
}

/** What is promised, or undefined when it takes too long. */
export function soon(promised, timeoutMs) {
  return Promise.race([promised, sleep(timeoutMs, undefined, { ref: false })]);
}
