import { spawnSync } from "node:child_process";
import type { Runtime } from "./runtime.js";

/**
 * Which process it is, beyond its pid, which is used again: when it started, in which boot of which machine,
 * and in which pid namespace the pid counts. A part that the system does not tell is "".
 */
export interface ProcessOwner {
  readonly pid: number;
  /** Linux: clock ticks since boot; macOS: the start's date. Only ever compared for equality. */
  readonly startedAt: string;
  readonly bootId: string;
  readonly machineId: string;
  readonly pidNamespace: string;
}

export type Liveness = "alive" | "dead" | "unknown";

type OwnerRuntime = Pick<Runtime, "fs" | "pid" | "platform" | "kill">;
/** Runs a system program and answers its stdout; undefined when it failed. */
export type RunProgram = (file: string, args: readonly string[]) => string | undefined;

const known = new WeakMap<OwnerRuntime, ProcessOwner>();

/** The owner that this process is. Asked of the system once a runtime. */
export function currentOwner(runtime: OwnerRuntime, run: RunProgram = runProgram): ProcessOwner {
  let owner = known.get(runtime);
  if (owner === undefined) {
    owner = runtime.platform === "darwin" ? ownerOnMac(runtime.pid, run) : ownerOnLinux(runtime);
    known.set(runtime, owner);
  }
  return owner;
}

/**
 * Whether that process still runs. `unknown` where it cannot be told from here: in another container
 * (pid namespace) of this boot, or on another machine that shares the directory.
 */
export function isOwnerAlive(owner: ProcessOwner, runtime: OwnerRuntime, run: RunProgram = runProgram): Liveness {
  const self = currentOwner(runtime, run);
  if (owner.bootId !== self.bootId) return isElsewhere(owner, self) ? "unknown" : "dead";
  if (owner.pidNamespace !== self.pidNamespace) return "unknown";
  const startedAt =
    runtime.platform === "darwin" ? startOnMac(owner.pid, run) : startOnLinux(String(owner.pid), runtime, owner.pid);
  if (startedAt === "unknown") return runtime.kill(owner.pid, 0) ? "unknown" : "dead";
  return startedAt !== "none" && startedAt === owner.startedAt ? "alive" : "dead";
}

/** Reads an owner out of parsed JSON; undefined when it is none. */
export function parseOwner(value: unknown): ProcessOwner | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, startedAt, bootId, machineId, pidNamespace } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined;
  for (const part of [startedAt, bootId, machineId, pidNamespace]) if (typeof part !== "string") return undefined;
  return { pid, startedAt, bootId, machineId, pidNamespace } as ProcessOwner;
}

/** Another boot of this machine has ended all its processes; another machine's boot says nothing. */
function isElsewhere(owner: ProcessOwner, self: ProcessOwner): boolean {
  return owner.machineId !== "" && self.machineId !== "" && owner.machineId !== self.machineId;
}

function ownerOnLinux(runtime: OwnerRuntime): ProcessOwner {
  const startedAt = startOnLinux("self", runtime, runtime.pid);
  return {
    pid: runtime.pid,
    startedAt: startedAt === "unknown" || startedAt === "none" ? "" : startedAt,
    bootId: readTrimmed("/proc/sys/kernel/random/boot_id", runtime),
    machineId: readTrimmed("/etc/machine-id", runtime),
    pidNamespace: readNamespace(runtime),
  };
}

/**
 * Field 22 of /proc/PID/stat (proc(5)). The second field, the program's name, may itself hold spaces and
 * parentheses, so the fields are counted from the last parenthesis. A zombie no longer runs anything.
 */
function startOnLinux(entry: string, runtime: OwnerRuntime, expectedPid: number): string {
  const stat = readTrimmed(`/proc/${entry}/stat`, runtime);
  if (stat === "") return isProcOurs(runtime) ? "none" : "unknown";
  if (Number.parseInt(stat, 10) !== expectedPid) return "unknown";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return "none";
  return fields[19] ?? "unknown";
}

/** False where /proc is absent or shows another pid namespace than ours (`unshare --pid` without a new /proc). */
function isProcOurs(runtime: OwnerRuntime): boolean {
  return Number.parseInt(readTrimmed("/proc/self/stat", runtime), 10) === runtime.pid;
}

function readTrimmed(file: string, runtime: OwnerRuntime): string {
  try {
    return runtime.fs.readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

function readNamespace(runtime: OwnerRuntime): string {
  try {
    return runtime.fs.readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

/** kern.boottime moves when the clock is set; the boot session's UUID does not. */
function ownerOnMac(pid: number, run: RunProgram): ProcessOwner {
  const startedAt = startOnMac(pid, run);
  const bootId = run("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"])?.trim() ?? "";
  return { pid, startedAt: startedAt === "none" ? "" : startedAt, bootId, machineId: "", pidNamespace: "" };
}

function startOnMac(pid: number, run: RunProgram): string {
  const line = run("/bin/ps", ["-o", "stat=,lstart=", "-p", String(pid)])?.trim() ?? "";
  const [, stat, startedAt] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
  return stat === undefined || startedAt === undefined || stat.startsWith("Z") ? "none" : startedAt;
}

/** In one language and time zone, so that two processes read the same start in the same words. */
function runProgram(file: string, args: readonly string[]): string | undefined {
  const done = spawnSync(file, args, { encoding: "utf8", env: { LC_ALL: "C", TZ: "UTC" }, timeout: 5_000 });
  return done.status === 0 ? done.stdout : undefined;
}
