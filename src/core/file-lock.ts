import { createHash, randomBytes } from "node:crypto";
import path from "node:path";
import { AgentctlError, systemErrorCode } from "./errors.js";
import { explainSystemError, openPrivate, readPrivateFile } from "./private-files.js";
import { currentOwner, isOwnerAlive, readOwner } from "./process-owner.js";
import type { Runtime } from "./runtime.js";

export interface FileLockRules {
  /** How long to wait for the holder, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
}

type LockRuntime = Pick<Runtime, "fs" | "pid" | "platform" | "kill" | "sleep" | "random">;

const DEFAULT_TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 40;

/**
 * Runs `action` while no other process holds `lockFile`. The lock is a hard link to a file that was fully
 * written before, so it is never seen half made, and it names its owner: a lock whose owner is dead is
 * broken, however young, and one whose owner may live is waited for, however old.
 * @throws {AgentctlError} LOCK_HELD after `timeoutMs`, STATE_UNWRITABLE; and what `action` throws
 */
export async function withFileLock<T>(
  lockFile: string,
  action: () => T | Promise<T>,
  runtime: LockRuntime,
  rules: FileLockRules = {},
): Promise<T> {
  const text = `${JSON.stringify({ owner: currentOwner(runtime), nonce: randomBytes(16).toString("hex") })}\n`;
  await acquire(lockFile, text, runtime, rules.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  try {
    return await action();
  } finally {
    unlinkIfHolding(lockFile, text, runtime);
  }
}

async function acquire(lockFile: string, text: string, runtime: LockRuntime, timeoutMs: number): Promise<void> {
  const candidate = `${lockFile}.${createHash("sha256").update(text).digest("hex").slice(0, 32)}.new`;
  let waitedMs = 0;
  let pauseMs = FIRST_PAUSE_MS;
  let seen: string | undefined;
  try {
    for (;;) {
      const holder = tryLink(candidate, lockFile, text, runtime);
      if (holder === undefined) break;
      // Only a holder that was there at the last look as well is worth asking the system about.
      const worthAsking = holder === seen || timeoutMs === 0;
      if (worthAsking && isHolderDead(holder, runtime) && (await breakLock(lockFile, holder, runtime))) continue;
      if (waitedMs >= timeoutMs) throw lockHeld(lockFile, holder, timeoutMs);
      seen = holder;
      const pause = pauseMs * (0.5 + runtime.random());
      await runtime.sleep(pause);
      waitedMs += pause;
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    }
    if (waitedMs === 0) sweepLitter(lockFile, runtime);
  } finally {
    runtime.fs.rmSync(candidate, { force: true });
  }
}

/** Answers undefined when the lock is ours now, else what the lock of the present holder says. */
function tryLink(candidate: string, lockFile: string, text: string, runtime: LockRuntime): string | undefined {
  for (;;) {
    try {
      runtime.fs.linkSync(candidate, lockFile);
      return undefined;
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") {
        writeCandidate(candidate, text, runtime);
      } else if (systemErrorCode(error) === "EEXIST") {
        const holder = readLock(lockFile, runtime);
        // Over NFS a link may succeed and its answer be lost: then the holder is this very lock.
        if (holder === text) return undefined;
        if (holder !== undefined) return holder;
      } else {
        throw lockUnwritable(lockFile, error);
      }
    }
  }
}

function writeCandidate(candidate: string, text: string, runtime: LockRuntime): void {
  try {
    const fd = openPrivate(candidate, "create", runtime.fs);
    try {
      runtime.fs.writeFileSync(fd, text);
    } finally {
      runtime.fs.closeSync(fd);
    }
  } catch (error) {
    throw lockUnwritable(candidate, error);
  }
}

/**
 * Removes a dead owner's lock. Between reading it and unlinking it another waiter may have done the same and
 * a third taken the lock anew, so this is done by one process at a time: the holder of a lock on this very lock.
 * Answers false when another process is at it.
 */
async function breakLock(lockFile: string, holder: string, runtime: LockRuntime): Promise<boolean> {
  const key = createHash("sha256").update(holder).digest("hex").slice(0, 32);
  try {
    await withFileLock(`${lockFile}.${key}`, () => unlinkIfHolding(lockFile, holder, runtime), runtime, {
      timeoutMs: 0,
    });
    return true;
  } catch (error) {
    if (error instanceof AgentctlError && error.code === "LOCK_HELD") return false;
    throw error;
  }
}

function unlinkIfHolding(lockFile: string, text: string, runtime: LockRuntime): void {
  if (readLock(lockFile, runtime) === text) runtime.fs.rmSync(lockFile, { force: true });
}

function readLock(lockFile: string, runtime: LockRuntime): string | undefined {
  try {
    return readPrivateFile(lockFile, runtime.fs);
  } catch (error) {
    throw new AgentctlError("STATE_UNWRITABLE", `cannot read ${lockFile}: ${explainSystemError(error)}`, {
      hint: "a lock of another user, or one that is no regular file, has to be removed by hand",
      cause: error,
    });
  }
}

/** A lock is whole from its first moment, so one that can't be read was cut by a power failure: an earlier boot's. */
function isHolderDead(holder: string, runtime: LockRuntime): boolean {
  const owner = readOwner(holder);
  return owner === undefined || isOwnerAlive(owner, runtime) === "dead";
}

/**
 * Removes what killed waiters and breakers left beside the lock, while the lock is ours: a breaker that still
 * believes in an older lock finds that it is gone, and a waiter whose file is gone writes it again.
 */
function sweepLitter(lockFile: string, runtime: LockRuntime): void {
  const dir = path.dirname(lockFile);
  for (const name of runtime.fs.readdirSync(dir)) {
    if (!name.startsWith(`${path.basename(lockFile)}.`)) continue;
    removeIfDead(path.join(dir, name), runtime);
  }
}

/** Litter that can't be read or removed is no reason to go without the lock. */
function removeIfDead(file: string, runtime: LockRuntime): void {
  try {
    const text = readPrivateFile(file, runtime.fs);
    if (text !== undefined && isHolderDead(text, runtime)) runtime.fs.rmSync(file, { force: true });
  } catch {}
}

function lockHeld(lockFile: string, holder: string, timeoutMs: number): AgentctlError {
  const pid = readOwner(holder)?.pid ?? 0;
  const seconds = Math.round(timeoutMs / 1000);
  return new AgentctlError("LOCK_HELD", `process ${pid} has held ${lockFile} for ${seconds} s`, {
    hint: `let process ${pid} finish, or end it; if it belongs to a container or machine that is gone, remove the file`,
    facts: { lockFile, pid },
  });
}

function lockUnwritable(file: string, error: unknown): AgentctlError {
  const noLinks = ["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(systemErrorCode(error) ?? "");
  const why = noLinks ? "the file system has no hard links" : explainSystemError(error);
  return new AgentctlError("STATE_UNWRITABLE", `cannot write ${file}: ${why}`, {
    hint: "set AGENTCTL_STATE_DIR to a directory that you can write, on a disk with room",
    cause: error,
  });
}
