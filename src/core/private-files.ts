import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import path from "node:path";
import { AgentctlError, systemErrorCode } from "./errors.js";
import type { Runtime } from "./runtime.js";

type FileSystem = Runtime["fs"];

export const PRIVATE_FILE_MODE = 0o600;
export const PRIVATE_DIR_MODE = 0o700;

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/**
 * Makes a directory (and what is missing above it) that only this user can enter. One that is there
 * already is taken only when it is a real directory, ours, and closed to others.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export function ensurePrivateDir(dir: string, runtime: Pick<Runtime, "fs" | "uid">): void {
  guardWrite(dir, () => {
    makeDirs(dir, runtime.fs);
    const stat = runtime.fs.lstatSync(dir);
    if (!stat.isDirectory()) throw new AgentctlError("STATE_UNWRITABLE", `${dir} is not a directory`);
    if (runtime.uid >= 0 && stat.uid !== runtime.uid) {
      throw new AgentctlError("STATE_UNWRITABLE", `${dir} belongs to another user (uid ${stat.uid})`, {
        hint: "set AGENTCTL_STATE_DIR to a directory of your own",
      });
    }
    if ((stat.mode & 0o077) !== 0) runtime.fs.chmodSync(dir, PRIVATE_DIR_MODE);
  });
}

/** Not mkdir's own `recursive`: Node's never returns where the parent is there and refuses with ENOENT, as /proc does. */
function makeDirs(dir: string, fs: FileSystem): void {
  if (fs.lstatSync(dir, { throwIfNoEntry: false }) !== undefined) return;
  if (path.dirname(dir) !== dir) makeDirs(path.dirname(dir), fs);
  try {
    fs.mkdirSync(dir, { mode: PRIVATE_DIR_MODE });
  } catch (error) {
    // Another process may have been faster.
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}

/** Opens with 0600 and never through a symlink. Answers the file descriptor. */
export function openPrivate(file: string, mode: "append" | "read" | "create" | "edit", fs: FileSystem): number {
  const flags = {
    append: O_WRONLY | O_APPEND | O_CREAT,
    read: O_RDONLY,
    create: O_WRONLY | O_CREAT | O_EXCL,
    edit: O_RDWR | O_CREAT,
  }[mode];
  return fs.openSync(file, flags | O_NOFOLLOW, PRIVATE_FILE_MODE);
}

/**
 * Replaces a file as a whole, so that a reader or a crash sees the old text or the new: written beside
 * it, synced, renamed, and the directory synced.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export function writePrivateFile(file: string, text: string, fs: FileSystem): void {
  guardWrite(file, () => {
    const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      const fd = openPrivate(temporary, "create", fs);
      try {
        fs.writeFileSync(fd, text);
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
      fs.renameSync(temporary, file);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    }
    syncDirectory(path.dirname(file), fs);
  });
}

/** Reads a private file, never through a symlink; undefined when it is not there. */
export function readPrivateFile(file: string, fs: FileSystem): string | undefined {
  let fd: number;
  try {
    fd = openPrivate(file, "read", fs);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return fs.readFileSync(fd, "utf8");
  } finally {
    fs.closeSync(fd);
  }
}

/** Makes a rename or an unlink in `dir` survive a power cut. */
export function syncDirectory(dir: string, fs: FileSystem): void {
  const fd = fs.openSync(dir, O_RDONLY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function guardWrite(target: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof AgentctlError) throw error;
    throw new AgentctlError("STATE_UNWRITABLE", `cannot write ${target}: ${explainSystemError(error)}`, {
      hint: "set AGENTCTL_STATE_DIR to a directory that you can write, on a disk with room",
      cause: error,
    });
  }
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file size limit is reached",
  EROFS: "the file system is read-only",
  ENOENT: "no such file or directory",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  ELOOP: "it is a symbolic link",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
};

/** A system error in plain words, without the path that Node repeats in its own message. */
export function explainSystemError(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return EXPLANATIONS[code] ?? code;
}
