import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import type { Runtime } from "../../src/core/runtime.js";
import { startWatchdog } from "../../src/lease/watchdog.js";

/** What a test tells the process that stands for agentctl. */
export interface OwnerSpec {
  readonly leaseId: string;
  readonly entryFile: string;
  readonly self: readonly [string, ...string[]];
  /** Instead of /bin/sh. */
  readonly shell?: readonly [string, ...string[]];
  /** A command that goes on when the owner is killed. */
  readonly command?: readonly [string, ...string[]];
  /** At which file's appearance it has nothing to end any more, and exits. */
  readonly releaseFile: string;
  readonly reportFile: string;
}

export interface OwnerReport {
  readonly pid: number;
  /** The watchdog's session, by the pid of the shell that began it. */
  readonly session: number;
  readonly commandPid?: number;
}

const spec: OwnerSpec = JSON.parse(fs.readFileSync(process.argv[2] ?? "", "utf8"));
let shell: ChildProcess | undefined;

const runtime: Pick<Runtime, "spawn" | "env" | "cwd" | "self" | "fs" | "platform"> = {
  env: { ...process.env },
  cwd: process.cwd(),
  platform: process.platform,
  self: spec.self,
  fs,
  spawn: ((file: string, args: string[], options: object) => {
    const [program, ...first] = spec.shell ?? [file];
    shell = spawn(program, [...first, ...args], options);
    return shell;
  }) as unknown as typeof spawn,
};

async function main(): Promise<void> {
  const watchdog = startWatchdog({ leaseId: spec.leaseId, entryFile: spec.entryFile }, runtime);
  await watchdog.ready;
  const [command, ...args] = spec.command ?? [];
  const child = command === undefined ? undefined : spawn(command, args, { stdio: "inherit" });
  fs.writeFileSync(
    `${spec.reportFile}.new`,
    JSON.stringify({ pid: process.pid, session: shell?.pid, commandPid: child?.pid }),
  );
  fs.renameSync(`${spec.reportFile}.new`, spec.reportFile);
  const look = setInterval(() => {
    if (!fs.existsSync(spec.releaseFile)) return;
    clearInterval(look);
    watchdog.release();
    watchdog.release();
    process.exit(0);
  }, 10);
  setTimeout(() => process.exit(99), 60_000);
}

main();
