import { readPrivateFile } from "../core/private-files.js";
import { isOwnerAlive, readOwner } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { lastRetryOf } from "../core/unfinished.js";
import { leaseFile } from "./entry.js";
import { readEntryFile } from "./entry-file.js";
import { entryQueuedUntil } from "./orders.js";

/** A machine that sleeps, and a clock that is set, are noticed. */
const LOOK_MS = 5_000;
/** A cloud whose clock is behind may still refuse at that time, and must not be asked over and over. */
const LEAST_MS = 5_000;
const ROOT = "/";

/** Until when all that is left of a lease has to wait (epoch ms); undefined where there is something to do now, or no such lease. */
export function leaseQueuedUntil(id: string, runtime: Pick<Runtime, "fs" | "env" | "cwd">): number | undefined {
  const found = readEntryFile(id, runtime);
  return found.is === "entry" ? entryQueuedUntil(found.entry) : undefined;
}

/** The pid of the process that waits until that lease can be ended, and may live; undefined where there is none. */
export function findWaiter(id: string, runtime: Runtime): number | undefined {
  try {
    const owner = readOwner(readPrivateFile(leaseFile(id, "queue", runtime), runtime.fs) ?? "");
    return owner === undefined || isOwnerAlive(owner, runtime) === "dead" ? undefined : owner.pid;
  } catch {
    return undefined;
  }
}

/**
 * Waits until all that is left of a lease can be ended, or somebody else has. Nobody is kept from claiming it meanwhile,
 * nor from removing the directory that this was started in, or unmounting what it is on: relative paths in the environment
 * start there, so that it is gone back to, if it is still there.
 */
export async function waitInQueue(id: string, runtime: Runtime): Promise<void> {
  const { cwd, enter } = runtime;
  enter(ROOT);
  try {
    await waitUntilDue(id, runtime);
  } finally {
    enter(cwd);
  }
}

async function waitUntilDue(id: string, runtime: Runtime): Promise<void> {
  const since = runtime.now();
  for (;;) {
    const found = readEntryFile(id, runtime);
    if (found.is !== "entry") return;
    const retryAt = lastRetryOf(found.entry.grants.flatMap(({ ending }) => ending ?? []));
    if (retryAt === undefined) return;
    const left = Math.max(retryAt, since + LEAST_MS) - runtime.now();
    if (left <= 0) return;
    await runtime.sleep(Math.min(left, LOOK_MS));
  }
}
