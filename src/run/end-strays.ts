import type { CommandProcess } from "../core/process-list.js";
import type { Runtime } from "../core/runtime.js";
import { type FindStrays, keyOf, type StrayRuntime, strayFinder } from "./find-strays.js";

const LOOK_MS = 100;
/** A process that is killed is gone at once, unless the kernel itself keeps it. */
const KILL_WAIT_MS = 5_000;

export interface StraysOrder {
  readonly leaseId: string;
  /** The command's process, where it is known. */
  readonly child?: CommandProcess;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly graceSeconds: number;
}

/** In numbers of processes. */
export interface EndedStrays {
  readonly found: number;
  /** Of those, how many had to be killed (SIGKILL). */
  readonly killed: number;
  /** Of those, how many run nevertheless, such as another user's. */
  readonly left: number;
}

type EndRuntime = StrayRuntime & Pick<Runtime, "kill" | "now" | "sleep">;

interface Hunt {
  readonly find: FindStrays;
  readonly found: Set<string>;
  /** Those that no signal reaches: another user's, or gone meanwhile. Nobody waits for them. */
  readonly beyondReach: Set<string>;
}

/**
 * Ends what is left of the command of a lease whose agentctl was killed: SIGTERM, once each, and SIGKILL for what runs
 * when the grace is over. Only for the boot and the pid namespace in which that agentctl ran: the caller makes sure.
 */
export async function endStrays(
  { leaseId, child, graceSeconds }: StraysOrder,
  runtime: EndRuntime,
): Promise<EndedStrays> {
  const find = strayFinder(leaseId, child, runtime);
  const hunt: Hunt = { find, found: new Set(), beyondReach: new Set() };
  await signalUntilGone("SIGTERM", runtime.now() + graceSeconds * 1_000, hunt, runtime);
  const killed = await signalUntilGone("SIGKILL", runtime.now() + KILL_WAIT_MS, hunt, runtime);
  return { found: hunt.found.size, killed, left: find().length };
}

/** Signals each one once, also what is started meanwhile, until none is left or the time is over. Answers how many. */
async function signalUntilGone(
  signal: NodeJS.Signals,
  giveUpAt: number,
  { find, found, beyondReach }: Hunt,
  runtime: EndRuntime,
): Promise<number> {
  const signalled = new Set<string>();
  for (;;) {
    const strays = find().filter((stray) => !beyondReach.has(keyOf(stray)));
    for (const stray of strays) {
      const key = keyOf(stray);
      found.add(key);
      if (!signalled.has(key)) (runtime.kill(stray.pid, signal) ? signalled : beyondReach).add(key);
    }
    const remainingMs = giveUpAt - runtime.now();
    if (strays.length === 0 || remainingMs <= 0) return signalled.size;
    await runtime.sleep(Math.min(LOOK_MS, remainingMs));
  }
}
