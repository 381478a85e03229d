import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";

type Place = Pick<Runtime, "env" | "cwd">;

export function auditDir(runtime: Place): string {
  return path.join(stateDir(runtime), "audit");
}

export function auditLogFile(runtime: Place): string {
  return path.join(auditDir(runtime), "audit.jsonl");
}

export function auditLockFile(runtime: Place): string {
  return path.join(auditDir(runtime), "audit.lock");
}

export function argsKeyFile(runtime: Place): string {
  return path.join(auditDir(runtime), "args.key");
}
