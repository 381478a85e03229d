import { type CommandProcess, descendantsOf, listProcesses, type ProcessEntry } from "../core/process-list.js";
import type { Runtime } from "../core/runtime.js";

const MARK = "AGENTCTL_LEASE_ID=";

export type StrayRuntime = Pick<Runtime, "fs" | "platform" | "pid" | "uid">;

/** What is left of a lease's command, found anew at every call; who was once found stays found when its parent ends. */
export type FindStrays = () => readonly ProcessEntry[];

/**
 * Finds the command by its pid and start time, its group where it leads one, what descends from it and, on Linux, by
 * the lease's id in its environment whatever else it has started. Left out are this process with its ancestors, and
 * what another lease's id tells to be that lease's: its own agentctl ends it, which is here found itself and told to.
 */
export function strayFinder(leaseId: string, child: CommandProcess | undefined, runtime: StrayRuntime): FindStrays {
  const found = new Set<string>();
  return () => {
    const running = listProcesses(runtime);
    // A list of another pid namespace (`unshare --pid` without a new /proc) would have strangers killed.
    if (!running.some(({ pid }) => pid === runtime.pid) || isForeignProc(runtime)) return [];
    const spared = lineageOf(runtime.pid, running);
    const marks = new Map(running.map((entry) => [entry.pid, readMark(entry.pid, runtime)]));
    const isMarked = ({ pid }: ProcessEntry): boolean => marks.get(pid) === leaseId;
    const isInGroup = groupOf(child, running, isMarked);
    const roots = running.filter(
      (entry) => found.has(keyOf(entry)) || isSame(entry, child) || isInGroup(entry) || isMarked(entry),
    );
    const strays = [...roots, ...descendantsOf(roots, running)].filter(({ pid }) => {
      return !spared.has(pid) && (marks.get(pid) ?? leaseId) === leaseId;
    });
    for (const stray of strays) found.add(keyOf(stray));
    return strays;
  };
}

export function keyOf({ pid, startedAt }: ProcessEntry): string {
  return `${pid} ${startedAt}`;
}

/**
 * Whether a process is in the command's group. A group's number is not given to another process while somebody is in
 * it; after that it may be, so that without its leader the lease's mark has to tell.
 */
function groupOf(
  child: CommandProcess | undefined,
  running: readonly ProcessEntry[],
  isMarked: (entry: ProcessEntry) => boolean,
): (entry: ProcessEntry) => boolean {
  if (child?.leadsGroup !== true) return () => false;
  const members = running.filter(({ group }) => group === child.pid);
  const isOurs = members.some((entry) => isSame(entry, child) || (entry.pid !== child.pid && isMarked(entry)));
  return (entry) => isOurs && entry.group === child.pid;
}

function isSame(entry: ProcessEntry, child: CommandProcess | undefined): boolean {
  return entry.pid === child?.pid && entry.startedAt === child.startedAt;
}

function lineageOf(pid: number, running: readonly ProcessEntry[]): ReadonlySet<number> {
  const lineage = new Set<number>();
  const parents = new Map(running.map((entry) => [entry.pid, entry.parentPid]));
  for (let each: number | undefined = pid; each !== undefined && !lineage.has(each); each = parents.get(each)) {
    lineage.add(each);
  }
  return lineage;
}

/** The lease that a process of this user was started in; undefined where none is told. */
function readMark(pid: number, { fs, platform, uid }: StrayRuntime): string | undefined {
  if (platform !== "linux") return undefined;
  try {
    // Root can read everybody's.
    if (fs.statSync(`/proc/${pid}`).uid !== uid) return undefined;
    const variables = fs.readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    return variables.find((variable) => variable.startsWith(MARK))?.slice(MARK.length);
  } catch {
    return undefined;
  }
}

function isForeignProc({ fs, platform, pid }: StrayRuntime): boolean {
  if (platform !== "linux") return false;
  try {
    return fs.readlinkSync("/proc/self") !== String(pid);
  } catch {
    return true;
  }
}
