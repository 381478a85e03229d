import { createHmac } from "node:crypto";
import type { AuditEvent } from "../core/event.js";
import type { Runtime } from "../core/runtime.js";
import { readArgsKey } from "./args-key.js";
import { ensureAuditDir, toLogError } from "./log-file.js";

type KeyRuntime = Pick<Runtime, "fs" | "env" | "cwd" | "uid">;

/**
 * What the record may say of a command: its first word, where that was found, and an HMAC-SHA-256 of the other
 * arguments as a JSON array, so that two records can be seen to be of the same command. With `full`, the
 * arguments themselves.
 * @throws {AgentctlError} AUDIT_UNWRITABLE when the key can be neither read nor made
 */
export function describeCommand(
  argv: readonly [string, ...string[]],
  path: string | undefined,
  mode: "first" | "full",
  runtime: KeyRuntime,
): NonNullable<AuditEvent["command"]> {
  const [argv0, ...args] = argv;
  return {
    argv0,
    ...(path !== undefined && { path }),
    argsHash: createHmac("sha256", loadKey(runtime)).update(JSON.stringify(args)).digest("hex"),
    ...(mode === "full" && { argv }),
  };
}

function loadKey(runtime: KeyRuntime): Buffer {
  try {
    ensureAuditDir(runtime);
    return readArgsKey(runtime);
  } catch (error) {
    throw toLogError(error, runtime);
  }
}
