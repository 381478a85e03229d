import { spawnSync } from "node:child_process";
import type { Runtime } from "./runtime.js";

/** A running process; `startedAt` tells it from a later one with the same pid and is only compared for equality. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly group: number;
  /** On Linux only. */
  readonly session?: number;
  readonly startedAt: string;
}

/** The process of a lease's command, for whoever has to end it later; as JSON it stands in the ledger. */
export interface CommandProcess {
  readonly pid: number;
  /** As in `ProcessEntry`; "" where the system did not tell. */
  readonly startedAt: string;
  /** Whether its process group is its own, and may be signalled as a whole. */
  readonly leadsGroup: boolean;
}

/** Every process that this one may see, without those that have ended and are not yet reaped. */
export function listProcesses(runtime: Pick<Runtime, "fs" | "platform">): ProcessEntry[] {
  return runtime.platform === "linux" ? listFromProc(runtime) : listFromPs("-A");
}

/** The start of one process as the list has it, without listing all; "" when it cannot be told. */
export function readStartedAt(pid: number, runtime: Pick<Runtime, "fs" | "platform">): string {
  if (runtime.platform === "linux") return readStat(String(pid), runtime.fs)?.[19] ?? "";
  return listFromPs("-p", String(pid))[0]?.startedAt ?? "";
}

/** The descendants of `roots`, without the roots themselves. */
export function descendantsOf(roots: readonly ProcessEntry[], list: readonly ProcessEntry[]): ProcessEntry[] {
  const seen = new Set(roots.map((root) => root.pid));
  const found: ProcessEntry[] = [];
  for (let parents = seen; parents.size > 0; ) {
    const children = list.filter((entry) => parents.has(entry.parentPid) && !seen.has(entry.pid));
    for (const child of children) seen.add(child.pid);
    found.push(...children);
    parents = new Set(children.map((child) => child.pid));
  }
  return found;
}

function listFromProc({ fs }: Pick<Runtime, "fs">): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = readStat(name, fs);
    const [state, parentPid, group, session] = fields?.slice(0, 4) ?? [];
    const startedAt = fields?.[19];
    if (state === undefined || startedAt === undefined || /[ZX]/.test(state)) continue;
    const ids = { pid: Number(name), parentPid: Number(parentPid), group: Number(group), session: Number(session) };
    entries.push({ ...ids, startedAt });
  }
  return entries;
}

/** /proc/PID/stat from its third field on: the second, the program's name, may hold spaces and parentheses (proc(5)). */
export function readStat(pid: string, fs: Runtime["fs"]): string[] | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function listFromPs(...selection: readonly string[]): ProcessEntry[] {
  const ps = spawnSync("/bin/ps", [...selection, "-o", "pid=,ppid=,pgid=,stat=,lstart="], {
    encoding: "utf8",
    env: { LC_ALL: "C", TZ: "UTC" },
    timeout: 5_000,
  });
  return (ps.stdout ?? "").split("\n").flatMap((line) => {
    const [, pid, parentPid, group, stat, startedAt] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+)$/.exec(line) ?? [];
    if (stat === undefined || startedAt === undefined || stat.startsWith("Z")) return [];
    return [{ pid: Number(pid), parentPid: Number(parentPid), group: Number(group), startedAt }];
  });
}
