import type { ErrorCode } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import type { ConfigPath } from "./problems.js";

/** What resolving one block of a profile may use. Paths are relative to the block. */
export interface BlockContext {
  readonly runtime: Runtime;
  /** The directory of the configuration file: what relative file names start from. */
  readonly baseDir: string;
  /** Reports at the place where the value was written, which may be in a profile that this one extends. */
  report(path: ConfigPath, message: string, details?: { readonly code?: ErrorCode; readonly hint?: string }): void;
}
