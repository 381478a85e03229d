import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { isRunning } from "../../run/harness.js";
import { eventually, type Outcome, outcomeOf, type RunOptions, type Stage } from "../agentctl.js";
import type { Block } from "../three-clouds.js";
import { type EndingTold, type LedgerEntry, readEntry, readText } from "./ledger-view.js";
import { findProcesses } from "./processes.js";
import { type AwsKeys, keysIn } from "./revoking-stage.js";

export interface EndedReceipt {
  readonly lease: string;
  readonly grants: readonly Block[];
  /** What was done to give rights for the time of the lease. */
  readonly rights?: readonly { readonly cloud: string; readonly steps: NonNullable<EndingTold["steps"]> }[];
  readonly endings: readonly EndingTold[];
  readonly child?: Block;
  readonly endedBy?: { readonly by: string; readonly pid: number; readonly strays?: Block };
  readonly revokedBy?: Block;
  readonly error?: { readonly code: string };
}

/** A run of agentctl whose command waits until its input ends; everything else is as the script has it. */
export interface HeldRun {
  readonly id: string;
  readonly agentctl: ChildProcess;
  readonly pid: number;
  /** The variables that the command found. */
  readonly env: Readonly<Record<string, string>>;
  readonly keys: AwsKeys;
  readonly childPid: number;
  stderr(): string;
  /** Waits until it has said so. */
  said(pattern: RegExp): Promise<string>;
  /** Lets the command end by itself. */
  letGo(): void;
  readonly ended: Promise<Outcome>;
  receipt(): EndedReceipt;
  entry(): LedgerEntry | undefined;
  records(kind?: string): Block[];
}

export interface HeldRunOptions extends RunOptions {
  /** What the shell does once its variables are written down; by default it waits for the end of its input, and succeeds. */
  readonly script?: string;
  readonly args?: readonly string[];
}

let count = 0;
const started: HeldRun[] = [];

/** What a file of a stage is called, of which there may be several. */
export function newFile(stage: Stage, name: string): string {
  count += 1;
  return path.join(stage.dir, `${count}-${name}`);
}

const WAIT = "read -r _; exit 0";

/** The command of a held run: it writes its variables down as a whole, and goes on with `script`. */
export function heldCommand(envFile: string, script: string): readonly string[] {
  return [
    "sh",
    "-c",
    `env > ${envFile}.new; echo own-pid=$$ >> ${envFile}.new; mv ${envFile}.new ${envFile}; ${script}`,
  ];
}

/** Starts a run and waits until its command has what it was given. */
export async function startHeld(stage: Stage, profile: string, options: HeldRunOptions = {}): Promise<HeldRun> {
  const { script = WAIT, args = [], ...rest } = options;
  const [envFile, receiptFile] = [newFile(stage, "env"), newFile(stage, "receipt.json")];
  const words = ["run", "-p", profile, ...args, "--receipt", receiptFile, "--", ...heldCommand(envFile, script)];
  const agentctl = stage.start(words, { detached: true, ...rest });
  const ended = outcomeOf(agentctl);
  // A test that fails before it looks at the end has said enough.
  ended.catch(() => {});
  agentctl.stdin?.on("error", () => {});
  const said: string[] = [];
  agentctl.stderr?.on("data", (text) => said.push(String(text)));
  const env = readEnv(await eventually(() => readText(envFile) ?? (agentctl.exitCode !== null && said.join(""))));
  const id = env["AGENTCTL_LEASE_ID"];
  if (id === undefined) throw new Error(`the command was not started: ${said.join("")}`);
  const run: HeldRun = {
    id,
    agentctl,
    pid: agentctl.pid ?? 0,
    env,
    keys: keysIn(env),
    childPid: Number(env["own-pid"]),
    stderr: () => said.join(""),
    said: async (pattern) => (await eventually(() => pattern.exec(said.join("")) ?? undefined))[0],
    letGo: () => agentctl.stdin?.end(),
    ended,
    receipt: () => JSON.parse(fs.readFileSync(receiptFile, "utf8")) as EndedReceipt,
    entry: () => readEntry(stage, id),
    records: (kind) =>
      stage.auditRecords().filter((record) => record["lease"] === id && (kind ?? record["kind"]) === record["kind"]),
  };
  started.push(run);
  return run;
}

/** Ends what failed tests have left running: agentctl, its command and its watchdog, by their pids. */
export function endHeldRuns(): void {
  for (const { id, pid, childPid, agentctl } of started.splice(0)) {
    if (agentctl.exitCode === null && agentctl.signalCode === null) process.kill(pid, "SIGKILL");
    for (const each of [childPid, ...findProcesses(id)]) if (isRunning(each)) process.kill(each, "SIGKILL");
  }
}

function readEnv(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}
