import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { isRunning, poll } from "../../run/harness.js";
import type { Stage } from "../agentctl.js";
import { ledgerIds } from "./ledger-view.js";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

/** Every process that can be seen, with its arguments. */
function listProcesses(): readonly Process[] {
  if (process.platform !== "linux") {
    const lines = execFileSync("ps", ["-axww", "-o", "pid=,ppid=,args="], { encoding: "latin1" }).split("\n");
    return lines.flatMap((line) => {
      const [, pid, parent, args] = /^ *(\d+) +(\d+) +(.*)$/.exec(line) ?? [];
      return args === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), args }];
    });
  }
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readProcess);
}

function readProcess(name: string): Process[] {
  try {
    const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const args = fs.readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ");
    return [{ pid: Number(name), parent: Number(parent), args }];
  } catch {
    return [];
  }
}

/** The pids of the processes that have `text` among their arguments. */
export function findProcesses(text: string): readonly number[] {
  if (text === "") throw new Error("every process has the empty text among its arguments");
  return listProcesses()
    .filter(({ pid, args }) => pid !== process.pid && args.includes(text))
    .map(({ pid }) => pid);
}

/** The lease's watchdog, as long as it is the small process that waits. */
export function findWatchdog(leaseId: string): number | undefined {
  return listProcesses().find(({ args }) => args.includes("agentctl-watchdog") && args.includes(leaseId))?.pid;
}

/** A process and all that descends from it, as whoever ends a job's tree finds them. */
export function treeOf(root: number): readonly number[] {
  const all = listProcesses();
  const below = (pid: number): number[] => [
    pid,
    ...all.filter(({ parent }) => parent === pid).flatMap((child) => below(child.pid)),
  ];
  return below(root);
}

/** The lease has left the ledger, its files are gone, and so are the processes: its own, its watchdog, and `pids`. */
export async function expectNothingAlive(stage: Stage, leaseId: string, pids: readonly number[] = []): Promise<void> {
  await poll(() => !ledgerIds(stage).includes(leaseId), `the end of ${leaseId} in the ledger`);
  for (const pid of pids) await poll(() => !isRunning(pid), `the end of process ${pid}`);
  await poll(() => findProcesses(leaseId).length === 0, "the end of the watchdog");
  for (const dir of ["leases", "run"].map((name) => path.join(stage.stateDir, name))) {
    const left = (fs.existsSync(dir) ? fs.readdirSync(dir) : []).filter((name) => name.includes(leaseId));
    expect(left, dir).toEqual([]);
  }
}
