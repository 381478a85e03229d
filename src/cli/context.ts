import type { Runtime } from "../core/runtime.js";

/** What every command is given. */
export interface CliContext {
  readonly runtime: Runtime;
  /** Sets the exit code of the process; the last call wins. */
  exit(code: number): void;
}
