import type { Runtime } from "../core/runtime.js";

/** What a sandbox uses of the machine. */
export type SandboxHost = Pick<Runtime, "env" | "fs" | "now" | "sleep">;
