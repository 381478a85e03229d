import { AgentctlError } from "../core/errors.js";
import { ensurePrivateDir, explainSystemError, openPrivate } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";
import { auditDir, auditLogFile } from "./paths.js";

type LogRuntime = Pick<Runtime, "fs" | "env" | "cwd" | "uid">;

/** @throws {AgentctlError} STATE_UNWRITABLE */
export function ensureAuditDir(runtime: LogRuntime): void {
  ensurePrivateDir(stateDir(runtime), runtime);
  ensurePrivateDir(auditDir(runtime), runtime);
}

/** Opens the log for reading and writing, made if it is not there, and closes it after `use`. */
export function withLogFile<T>(runtime: LogRuntime, use: (fd: number) => T): T {
  const { fs } = runtime;
  const fd = openPrivate(auditLogFile(runtime), "edit", fs);
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) throw new Error("the log is not a regular file");
    if ((stat.mode & 0o077) !== 0) fs.fchmodSync(fd, 0o600);
    return use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Turns what keeps the log from being read or written into the error that says so. */
export function toLogError(error: unknown, runtime: LogRuntime): AgentctlError {
  if (error instanceof AgentctlError && error.code !== "STATE_UNWRITABLE") return error;
  const what =
    error instanceof AgentctlError ? error.message : `${auditLogFile(runtime)}: ${explainSystemError(error)}`;
  return new AgentctlError("AUDIT_UNWRITABLE", `the audit log cannot be used: ${what}`, {
    hint: "set AGENTCTL_STATE_DIR to a directory that you can write, on a disk with room",
    cause: error,
  });
}
