import type { AuditSinkName } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { userConfigFile } from "../core/state-dir.js";
import { readConfigFile } from "./config-file.js";

/** Where the user wants records besides the log, for who has no profile at hand. Nowhere when the file cannot be read. */
export function readAuditSinks(runtime: Runtime): readonly AuditSinkName[] {
  const file = userConfigFile(runtime);
  if (file === undefined || !runtime.fs.existsSync(file)) return [];
  try {
    return readConfigFile(file, "user", runtime).config?.data.audit?.sinks ?? [];
  } catch {
    return [];
  }
}
