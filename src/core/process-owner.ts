import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { systemErrorCode } from "./errors.js";
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
  /** A hash: machine-id(5) asks that the id itself be kept to the machine. */
  readonly machineId: string;
  readonly pidNamespace: string;
}

export type Liveness = "alive" | "dead" | "unknown";

/** Runs a system program and answers its stdout; undefined when it could not be run. */
export type RunProgram = (file: string, args: readonly string[]) => string | undefined;

type OwnerRuntime = Pick<Runtime, "fs" | "pid" | "platform" | "kill">;
type Start = { readonly is: "running"; readonly at: string } | { readonly is: "gone" | "unknown" };

const GONE: Start = { is: "gone" };
const UNKNOWN: Start = { is: "unknown" };
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
  if (owner.bootId !== self.bootId) return isEarlierBoot(owner, self) ? "dead" : "unknown";
  if (owner.pidNamespace !== self.pidNamespace) return "unknown";
  const start = runtime.platform === "darwin" ? startOnMac(owner.pid, run) : startOnLinux(owner.pid, runtime);
  if (start.is === "running" && owner.startedAt !== "") return start.at === owner.startedAt ? "alive" : "dead";
  return start.is === "gone" || !runtime.kill(owner.pid, 0) ? "dead" : "unknown";
}

/** Reads the owner that a file names, as JSON with the field `owner`; undefined when it names none. */
export function readOwner(text: string): ProcessOwner | undefined {
  try {
    return parseOwner((JSON.parse(text) as { owner?: unknown } | null)?.owner);
  } catch {
    return undefined;
  }
}

/** Reads an owner out of parsed JSON; undefined when it is none. */
export function parseOwner(value: unknown): ProcessOwner | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, startedAt, bootId, machineId, pidNamespace } = value as Record<string, unknown>;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (typeof startedAt !== "string" || typeof bootId !== "string") return undefined;
  if (typeof machineId !== "string" || typeof pidNamespace !== "string") return undefined;
  return { pid, startedAt, bootId, machineId, pidNamespace };
}

/** Another boot of this machine has ended all its processes; another machine's boot says nothing. */
function isEarlierBoot(owner: ProcessOwner, self: ProcessOwner): boolean {
  if (owner.bootId === "" || self.bootId === "") return false;
  return owner.machineId === "" || self.machineId === "" || owner.machineId === self.machineId;
}

function ownerOnLinux(runtime: OwnerRuntime): ProcessOwner {
  const start = startOnLinux(runtime.pid, runtime);
  const machine = readSystemFile("/etc/machine-id", runtime);
  return {
    pid: runtime.pid,
    startedAt: start.is === "running" ? start.at : "",
    bootId: readSystemFile("/proc/sys/kernel/random/boot_id", runtime),
    machineId: machine === "" ? "" : createHash("sha256").update(`agentctl ${machine}`).digest("hex").slice(0, 16),
    pidNamespace: readNamespace(runtime),
  };
}

/**
 * Field 22 of /proc/PID/stat (proc(5)). The second field, the program's name, may itself hold spaces and
 * parentheses, so the fields are counted from the last parenthesis. A zombie no longer runs anything.
 */
function startOnLinux(pid: number, runtime: OwnerRuntime): Start {
  if (!isProcOurs(runtime)) return UNKNOWN;
  let stat: string;
  try {
    stat = runtime.fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    // ESRCH: it went between the open and the read. Anything else, such as EMFILE, says nothing about it.
    return ["ENOENT", "ESRCH"].includes(systemErrorCode(error) ?? "") ? GONE : UNKNOWN;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return GONE;
  const ticks = fields[19];
  return ticks === undefined ? UNKNOWN : { is: "running", at: ticks };
}

/** False where /proc is absent or shows another pid namespace than ours (`unshare --pid` without a new /proc). */
function isProcOurs(runtime: OwnerRuntime): boolean {
  return Number.parseInt(readSystemFile("/proc/self/stat", runtime), 10) === runtime.pid;
}

function readSystemFile(file: string, runtime: OwnerRuntime): string {
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
  const start = startOnMac(pid, run);
  const bootId = run("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"])?.trim() ?? "";
  return { pid, startedAt: start.is === "running" ? start.at : "", bootId, machineId: "", pidNamespace: "" };
}

/** `ps` prints nothing for a pid that is not there. */
function startOnMac(pid: number, run: RunProgram): Start {
  const printed = run("/bin/ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
  if (printed === undefined) return UNKNOWN;
  const [, stat, startedAt] = /^(\S+)\s+(.+)$/.exec(printed.trim()) ?? [];
  return stat === undefined || startedAt === undefined || stat.startsWith("Z")
    ? GONE
    : { is: "running", at: startedAt };
}

/** In one language and time zone, so that two processes read the same start in the same words. */
function runProgram(file: string, args: readonly string[]): string | undefined {
  const done = spawnSync(file, args, { encoding: "utf8", env: { LC_ALL: "C", TZ: "UTC" }, timeout: 5_000 });
  return done.status === null ? undefined : done.stdout;
}
