import type { Runtime } from "../core/runtime.js";

/** Node itself sees to the first ones that it was started with (uv_disable_stdio_inheritance). */
const FIRST = 16;
const LAST = 1023;
/** As Linux has it on the architectures that Node runs on; in octal, as fdinfo is (proc(5)). */
const CLOSES_ON_EXEC = 0o2000000;

/**
 * The descriptors that a process started now would inherit from whoever started agentctl, such as a script's lock
 * (`200>lock`). None on macOS, where libuv lets nothing through that is not asked for.
 */
export function inheritableDescriptors({ fs, platform }: Pick<Runtime, "fs" | "platform">): readonly number[] {
  if (platform !== "linux") return [];
  try {
    const open = fs.readdirSync("/proc/self/fd").map(Number);
    return open.filter((fd) => fd >= FIRST && fd <= LAST && isInheritable(fd, fs));
  } catch {
    return [];
  }
}

function isInheritable(fd: number, fs: Runtime["fs"]): boolean {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSES_ON_EXEC) === 0;
  } catch {
    return false;
  }
}
