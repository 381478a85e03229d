import { descendantsOf, listProcesses, type ProcessEntry } from "../core/process-list.js";
import type { Runtime } from "../core/runtime.js";

/** The child and what it has started, as far as that can be told. */
export interface ProcessTree {
  signal(signal: NodeJS.Signals): void;
  /** Whether any of what was signalled still runs. */
  isAlive(): boolean;
}

/**
 * The tree of a child that leads its own process group: the group. One that has ended and that nobody reaps (in a
 * container whose first process is no init) still counts for kill(2), and is therefore looked at in the list.
 */
export function ownGroup(childPid: number, runtime: Pick<Runtime, "kill" | "fs" | "platform">): ProcessTree {
  return {
    signal: (signal) => {
      runtime.kill(-childPid, signal);
    },
    isAlive: () => runtime.kill(-childPid, 0) && listProcesses(runtime).some(({ group }) => group === childPid),
  };
}

/**
 * The tree of a child in our own process group, which must not be signalled as a whole: we and the rest of a
 * shell's pipeline are in it. So the descendants are looked up when a signal is sent. They are remembered with
 * their start time, since the child may end before them, and a pid may be used again.
 */
export function descendantTree(childPid: number, runtime: Pick<Runtime, "kill" | "fs" | "platform">): ProcessTree {
  const remembered = new Map<number, ProcessEntry>();
  const isRemembered = (entry: ProcessEntry): boolean => remembered.get(entry.pid)?.startedAt === entry.startedAt;
  return {
    signal: (signal) => {
      const running = listProcesses(runtime);
      const isMember = remembered.size === 0 ? (entry: ProcessEntry) => entry.pid === childPid : isRemembered;
      const members = running.filter(isMember);
      const tree = [...members, ...descendantsOf(members, running)];
      for (const entry of tree) {
        remembered.set(entry.pid, entry);
        runtime.kill(entry.pid, signal);
      }
    },
    isAlive: () => listProcesses(runtime).some(isRemembered),
  };
}
