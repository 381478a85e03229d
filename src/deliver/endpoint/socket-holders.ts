import { systemErrorCode } from "../../core/errors.js";
import type { Runtime } from "../../core/runtime.js";

export interface SocketHolders {
  /** For each link that was found, one process that has it open. */
  readonly pidByLink: ReadonlyMap<string, number>;
  /** True when what some of the processes have open may not be seen. */
  readonly someHidden: boolean;
}

type FileSystem = Pick<Runtime["fs"], "readdirSync" | "readlinkSync">;

/** Looks among the open files of `pids`, in their order, until each of `links` is found. */
export function findHolders(pids: Iterable<number>, links: ReadonlySet<string>, fs: FileSystem): SocketHolders {
  const pidByLink = new Map<string, number>();
  let someHidden = false;
  for (const pid of pids) {
    if (pidByLink.size === links.size) break;
    try {
      for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
        const target = readLink(`/proc/${pid}/fd/${fd}`, fs);
        if (links.has(target) && !pidByLink.has(target)) pidByLink.set(target, pid);
      }
    } catch (error) {
      // Another user's, or one that asked not to be looked at (PR_SET_DUMPABLE). One that has gone hides nothing.
      if (["EACCES", "EPERM"].includes(systemErrorCode(error) ?? "")) someHidden = true;
    }
  }
  return { pidByLink, someHidden };
}

/** A file that was closed since the directory was read links to nothing. */
function readLink(file: string, fs: FileSystem): string {
  try {
    return fs.readlinkSync(file);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw error;
  }
}
