import type { Runtime } from "./runtime.js";

/** A laptop that sleeps stops timers and not the wall clock, which is therefore looked at this often. */
const LOOK_MS = 1_000;

/**
 * Calls `act` once when the wall clock has reached `at` (epoch ms), never before it has answered; answers the way to
 * call it off. Keeps no process alive.
 */
export function callAt(at: number, act: () => void, runtime: Pick<Runtime, "now">): () => void {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    timer = setTimeout(look, Math.min(LOOK_MS, Math.max(0, at - runtime.now())));
    timer.unref();
  };
  const look = (): void => {
    if (runtime.now() >= at) act();
    else wait();
  };
  wait();
  return () => clearTimeout(timer);
}
