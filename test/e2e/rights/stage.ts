import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import type { SandboxHost, SandboxOptions } from "../../../src/sandbox/index.js";
import { isRunning, poll } from "../../run/harness.js";
import { eventually, type Outcome, openStage, outcomeOf, type RunOptions, type Stage } from "../agentctl.js";
import { type EndedReceipt, type HeldRun, newFile } from "../endings/held-run.js";
import { ledgerIds, readEntry, readText } from "../endings/ledger-view.js";
import { findProcesses, findWatchdog } from "../endings/processes.js";
import { neverRun } from "../refusal.js";
import { type Block, configOf } from "../three-clouds.js";

export interface RightsStageOptions {
  readonly world?: SandboxOptions;
  readonly host?: Partial<SandboxHost>;
  /** Besides the sandbox's own variables, for whatever is run. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A stage whose profiles give rights for the time of a lease. */
export async function openRightsStage(
  profiles: Readonly<Record<string, Block>>,
  { world, host, env = {} }: RightsStageOptions = {},
): Promise<Stage> {
  const stage = await openStage(world, host);
  stage.writeConfig(configOf(profiles));
  const withEnv = (options: RunOptions = {}): RunOptions => ({ ...options, env: { ...env, ...options.env } });
  return {
    ...stage,
    env: { ...stage.env, ...env },
    run: (args, options) => stage.run(args, withEnv(options)),
    start: (args, options) => stage.start(args, withEnv(options)),
    runIn: (file, args, options) => stage.runIn(file, args, withEnv(options)),
  };
}

/** A run that is giving rights, or waits for them: its command is not started. */
export interface WaitingRun {
  readonly id: string;
  readonly agentctl: ChildProcess;
  readonly pid: number;
  stderr(): string;
  /** Waits until it has said so. */
  said(pattern: RegExp): Promise<string>;
  readonly ended: Promise<Outcome>;
  receipt(): EndedReceipt;
  records(kind?: string): Block[];
}

const started: WaitingRun[] = [];

/** Starts a run, and answers once its lease is in the ledger. */
export async function startWaiting(
  stage: Stage,
  profile: string,
  { args = [], command = neverRun(stage), ...options }: WaitingOptions = {},
): Promise<WaitingRun> {
  const receiptFile = newFile(stage, "receipt.json");
  const words = ["run", "-p", profile, ...args, "--receipt", receiptFile, "--", ...command];
  const agentctl = stage.start(words, { detached: true, ...options });
  const pid = agentctl.pid ?? 0;
  const ended = outcomeOf(agentctl);
  // A test that fails before it looks at the end has said enough.
  ended.catch(() => {});
  const said: string[] = [];
  agentctl.stderr?.on("data", (text) => said.push(String(text)));
  const id = await eventually(() => {
    if (agentctl.exitCode !== null) throw new Error(`no lease was opened: ${said.join("")}`);
    return ledgerIds(stage).find((each) => readEntry(stage, each)?.owner.pid === pid);
  });
  const run: WaitingRun = {
    id,
    agentctl,
    pid,
    stderr: () => said.join(""),
    said: async (pattern) => (await eventually(() => pattern.exec(said.join("")) ?? undefined))[0],
    ended,
    receipt: () => JSON.parse(fs.readFileSync(receiptFile, "utf8")) as EndedReceipt,
    records: (kind) => recordsOf(stage, id, kind),
  };
  started.push(run);
  return run;
}

export interface WaitingOptions extends RunOptions {
  readonly args?: readonly string[];
  /** By default one that must not be started. */
  readonly command?: readonly string[];
}

/** Ends what failed tests have left waiting, and its watchdog, by their pids. */
export function endWaitingRuns(): void {
  for (const { id, pid } of started.splice(0)) {
    for (const each of [pid, ...findProcesses(id)]) if (isRunning(each)) process.kill(each, "SIGKILL");
  }
}

/** Kills agentctl and whoever would end its lease in its place, so that nobody does. */
export async function killBoth({ id, pid }: Pick<HeldRun, "id" | "pid">): Promise<void> {
  const watchdog = await poll(() => findWatchdog(id), "the watchdog");
  for (const each of [watchdog, pid]) {
    process.kill(each, "SIGKILL");
    await poll(() => !isRunning(each), `the end of process ${each}`);
  }
}

/** What the audit log has of one lease. */
export function recordsOf(stage: Stage, id: string, kind?: string): Block[] {
  return stage.auditRecords().filter((record) => record["lease"] === id && (kind ?? record["kind"]) === record["kind"]);
}

/** A receipt, once it is there. */
export async function awaitReceipt(file: string): Promise<EndedReceipt> {
  return JSON.parse(await eventually(() => readText(file))) as EndedReceipt;
}
