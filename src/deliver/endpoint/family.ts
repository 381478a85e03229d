import { descendantsOf, listProcesses, type ProcessEntry, readStat } from "../../core/process-list.js";
import type { Runtime } from "../../core/runtime.js";

/** The child and the processes that descend from it. */
export interface Family {
  /** Those seen before, the latest first; some may have ended. */
  readonly seen: readonly number[];
  /** Sorts all processes that there are. */
  survey(): { readonly members: readonly number[]; readonly others: readonly number[] };
  /** Whether that pid is still the process that was seen: to be asked after something was found out about it. */
  isMember(pid: number): boolean;
}

type FamilyRuntime = Pick<Runtime, "fs" | "platform">;

/**
 * A member is remembered by its pid and start, so that it stays one when its parent ends and it is given to another.
 * Where the child leads a session of its own, all in that session are members, seen or not: a session is inherited
 * and cannot be joined (setsid(2)).
 */
export function watchFamily(childPid: number, runtime: FamilyRuntime): Family {
  const child = readStart(childPid, runtime);
  const remembered = new Map<number, string>(child === undefined ? [] : [[childPid, child.startedAt]]);
  const isRemembered = ({ pid, startedAt }: ProcessEntry): boolean => remembered.get(pid) === startedAt;
  const survey = (): ReturnType<Family["survey"]> => {
    const running = listProcesses(runtime);
    // A session's number is not given to another process while somebody is in it; after that it may be.
    const isReused = running.some(({ pid, startedAt }) => pid === childPid && startedAt !== child?.startedAt);
    const session = child?.leadsSession === true && !isReused ? childPid : undefined;
    const isOfSession = (entry: ProcessEntry): boolean => session !== undefined && entry.session === session;
    const roots = running.filter((entry) => isRemembered(entry) || isOfSession(entry));
    const members = [...roots, ...descendantsOf(roots, running)];
    remembered.clear();
    for (const { pid, startedAt } of members) remembered.set(pid, startedAt);
    const others = running.filter(({ pid }) => !remembered.has(pid));
    return { members: members.map(({ pid }) => pid), others: others.map(({ pid }) => pid) };
  };
  return {
    get seen() {
      return [...remembered.keys()].reverse();
    },
    survey,
    isMember: (pid) => remembered.has(pid) && readStart(pid, runtime)?.startedAt === remembered.get(pid),
  };
}

function readStart(pid: number, { fs }: FamilyRuntime): { startedAt: string; leadsSession: boolean } | undefined {
  const fields = readStat(String(pid), fs);
  const startedAt = fields?.[19];
  return startedAt === undefined ? undefined : { startedAt, leadsSession: Number(fields?.[3]) === pid };
}
