import { randomBytes } from "node:crypto";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { openPrivate, readPrivateFile, syncDirectory } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { argsKeyFile, auditDir } from "./paths.js";

const KEY_TEXT = /^[0-9a-f]{64}\n$/;

/**
 * The key under which arguments are hashed, 32 random bytes, made at the first use. Its directory is there already.
 * Without a key, short arguments could be guessed from their hash.
 * @throws {AgentctlError} AUDIT_UNWRITABLE when the file holds something else; a Node error when it can't be made
 */
export function readArgsKey(runtime: Pick<Runtime, "fs" | "env" | "cwd">): Buffer {
  const file = argsKeyFile(runtime);
  const text = readPrivateFile(file, runtime.fs) ?? createArgsKey(file, runtime);
  if (!KEY_TEXT.test(text)) {
    throw new AgentctlError("AUDIT_UNWRITABLE", `${file} does not hold a key`, {
      hint: "remove it: a new key is made, and argument hashes are no longer comparable with earlier ones",
    });
  }
  return Buffer.from(text.trim(), "hex");
}

/** Of several processes at the first use one makes the key: the link fails for the others, which then read it. */
function createArgsKey(file: string, runtime: Pick<Runtime, "fs" | "env" | "cwd">): string {
  const { fs } = runtime;
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openPrivate(temporary, "create", fs);
    try {
      fs.writeFileSync(fd, `${randomBytes(32).toString("hex")}\n`);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.linkSync(temporary, file);
    syncDirectory(auditDir(runtime), fs);
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
  return readPrivateFile(file, fs) ?? "";
}
