import { userInfo } from "node:os";
import { readPrivateFile, writePrivateFile } from "../core/private-files.js";
import { currentOwner, parseOwner } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { leaseFile } from "./entry.js";

/** Who asked for the end of a lease that another process holds. */
export interface RevokeRequest {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** 0 where the mark does not tell. */
  readonly pid: number;
  readonly user?: string;
}

type MarkRuntime = Pick<Runtime, "fs" | "env" | "cwd">;

const LOOK_MS = 500;

/**
 * Asks the process that holds the lease to end it, by a mark beside the lease's entry. Answers false, and leaves nothing,
 * where the lease is closed by then.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export function requestRevocation(id: string, runtime: Runtime): boolean {
  const mark = leaseFile(id, "revoke", runtime);
  if (!runtime.fs.existsSync(leaseFile(id, "json", runtime))) return false;
  const user = userName();
  const request = { at: runtime.now(), owner: currentOwner(runtime), ...(user !== undefined && { user }) };
  writePrivateFile(mark, `${JSON.stringify(request)}\n`, runtime.fs);
  // Whoever closes a lease removes the entry first and the mark after it, so one of the two sees the other.
  if (runtime.fs.existsSync(leaseFile(id, "json", runtime))) return true;
  runtime.fs.rmSync(mark, { force: true });
  return false;
}

/** Calls `act` once when the mark is there; keeps no process alive. Answers the way to stop looking. */
export function watchMark(id: string, act: (request: RevokeRequest) => void, runtime: Runtime): () => void {
  const mark = leaseFile(id, "revoke", runtime);
  const timer = setInterval(() => {
    const changedAt = seenAt(mark, runtime);
    if (changedAt === undefined) return;
    clearInterval(timer);
    act(readMark(mark, runtime) ?? { at: changedAt, pid: 0 });
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** When the mark was set, epoch ms; undefined where there is none, or none can be seen. */
function seenAt(mark: string, { fs }: MarkRuntime): number | undefined {
  try {
    const stat = fs.lstatSync(mark, { throwIfNoEntry: false });
    return stat && Math.floor(stat.mtimeMs);
  } catch {
    return undefined;
  }
}

/** A mark that says nothing, such as one that somebody made by hand, is still one. */
function readMark(mark: string, { fs }: MarkRuntime): RevokeRequest | undefined {
  try {
    const { at, owner, user } = JSON.parse(readPrivateFile(mark, fs) ?? "") as Record<string, unknown>;
    if (typeof at !== "number" || !Number.isSafeInteger(at) || Math.abs(at) > 8.64e15) return undefined;
    return { at, pid: parseOwner(owner)?.pid ?? 0, ...(typeof user === "string" && { user }) };
  } catch {
    return undefined;
  }
}

/** A user id without an entry in the password file, as in many containers, has no name. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
