import type { Runtime } from "../core/runtime.js";

const MAX_BYTES = 1024 * 1024;

/** The text of a file that may be missing, unreadable or something else than a file; undefined then. */
export function readSmallFile(file: string, fs: Runtime["fs"]): string | undefined {
  try {
    const stat = fs.statSync(file);
    return stat.isFile() && stat.size <= MAX_BYTES ? fs.readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
