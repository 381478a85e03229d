import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Sandbox, type SandboxHost, type SandboxOptions, startSandbox as start } from "../src/sandbox/index.js";

/** The sandbox on the machine itself, for a test that has no Runtime of its own. */
export function startSandbox(options: SandboxOptions = {}, host: Partial<SandboxHost> = {}): Promise<Sandbox> {
  return start(options, { env: {}, fs, now: Date.now, sleep: (ms) => sleep(ms), ...host });
}
