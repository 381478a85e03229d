import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Runtime } from "../core/runtime.js";

/** What a sandbox uses of the machine. */
export type SandboxHost = Pick<Runtime, "env" | "fs" | "now" | "sleep">;

/** The machine itself, for a test that starts a sandbox without a Runtime. */
export const REAL_HOST: SandboxHost = { env: {}, fs, now: Date.now, sleep: (ms) => sleep(ms) };
