import { createHash, randomBytes } from "node:crypto";
import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import { ensurePrivateDir, explainSystemError, openPrivate } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";

export interface PrivateTextFiles {
  /**
   * Writes the file of that name below the directory, when its text is another than the last time; a reader sees
   * the old text or the new. What a tool has made of the file in between is kept as long as the text is the same.
   * @throws {AgentctlError} STATE_UNWRITABLE
   */
  put(name: string, text: string): void;
}

/** The private files of a lease that change while it lives. */
export function openPrivateTextFiles(dir: string, runtime: Pick<Runtime, "fs" | "uid">): PrivateTextFiles {
  const written = new Map<string, string>();
  return {
    put: (name, text) => {
      const digest = createHash("sha256").update(text).digest("hex");
      if (written.get(name) === digest) return;
      const file = path.join(dir, name);
      ensurePrivateDir(path.dirname(file), runtime);
      replaceFile(file, text, runtime.fs);
      written.set(name, digest);
    },
  };
}

/** Not synced to the disk, which costs milliseconds: after a crash of the machine nobody needs these files. */
function replaceFile(file: string, text: string, fs: Runtime["fs"]): void {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openPrivate(temporary, "create", fs);
    try {
      fs.writeFileSync(fd, text);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw new AgentctlError("STATE_UNWRITABLE", `cannot write ${file}: ${explainSystemError(error)}`, {
      hint: "set AGENTCTL_STATE_DIR to a directory that you can write, on a disk with room",
      cause: error,
    });
  }
}
