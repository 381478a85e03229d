import type { ChildProcess } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { eventually, type Outcome, outcomeOf, type RunOptions, type Stage } from "../agentctl.js";
import type { Block } from "../three-clouds.js";

export const PROGRAM = path.resolve(import.meta.dirname, "../programs/endpoint.mjs");

/** What the endpoint answered; the token and its end (epoch ms) where it is a good answer, else the body. */
export interface Answer {
  readonly status: number;
  readonly token?: string;
  readonly endsAt?: number;
  readonly body?: string;
}

export interface EndpointReceipt {
  readonly lease: string;
  readonly deadlineAt: string;
  readonly closedAt: string;
  readonly grants: readonly { readonly cloud: string; readonly channel: string; readonly usableUntil: string }[];
  readonly renewals?: readonly { readonly cloud: string; readonly renewed: number; readonly failed: number }[];
  readonly refusals?: number;
  readonly endings: readonly { readonly cloud: string; readonly word: string }[];
  readonly child: Block;
  readonly audit: { readonly head: string };
}

/** A lease whose child, programs/endpoint.mjs, does what the test asks it to, until it is told to end. */
export interface OpenLease {
  readonly id: string;
  readonly agentctl: ChildProcess;
  /** Asks the child one question after the other. */
  ask<T = Answer>(verb: string, ...args: readonly (string | number | object)[]): Promise<T>;
  /** What agentctl has said so far. */
  stderr(): string;
  /** Waits until it has said so. */
  said(pattern: RegExp): Promise<string>;
  /** The lease's records so far. */
  records(kind?: string): Block[];
  /** The lease as it stands in the ledger. */
  entry(): { readonly grants: readonly { readonly cloud: string; readonly usableUntil: number }[] };
  /** Lets the child end by itself. */
  end(): Promise<Outcome & { readonly receipt: EndpointReceipt }>;
  /** What has become of it, whoever ended it. */
  readonly ended: Promise<Outcome & { readonly receipt: EndpointReceipt }>;
}

const all: OpenLease[] = [];

/** Lets the children end whose tests have failed before they did. */
export async function endLeases(): Promise<void> {
  await Promise.all(all.splice(0).map((lease) => lease.end().catch(() => {})));
}

let count = 0;

/** Runs agentctl with a profile of the stage's configuration, and waits until the child answers. */
export async function openLease(
  stage: Stage,
  profile: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<OpenLease> {
  count += 1;
  const file = path.join(stage.dir, `endpoint-${count}.json`);
  const command = [process.execPath, PROGRAM];
  const agentctl = stage.start(["run", "-p", profile, ...args, "--receipt", file, "--", ...command], options);
  agentctl.stdin?.on("error", () => {});
  const said: string[] = [];
  agentctl.stderr?.on("data", (text: Buffer) => said.push(text.toString("utf8")));
  const stderr = (): string => said.join("");
  const ended = outcomeOf(agentctl).then((outcome) => ({ ...outcome, receipt: readJson(file) as EndpointReceipt }));
  // A test that fails before it looks at the end has said enough.
  ended.catch(() => {});
  const lines = createInterface({ input: agentctl.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const ask = async <T>(...question: readonly (string | number | object)[]): Promise<T> => {
    agentctl.stdin?.write(`${JSON.stringify(question)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the child has ended: ${stderr()}`);
    return JSON.parse(value) as T;
  };
  const { AGENTCTL_LEASE_ID: id = "" } = await ask<Record<string, string>>("env");
  const lease: OpenLease = {
    id,
    agentctl,
    ask,
    stderr,
    said: async (pattern) => (await eventually(() => pattern.exec(stderr()) ?? undefined))[0],
    records: (kind) =>
      stage.auditRecords().filter((record) => record["lease"] === id && (kind ?? record["kind"]) === record["kind"]),
    entry: () => readJson(path.join(stage.stateDir, "leases", `${id}.json`)) as ReturnType<OpenLease["entry"]>,
    end: () => {
      agentctl.stdin?.end();
      return ended;
    },
    ended,
  };
  all.push(lease);
  return lease;
}

/** Asks again and again, until the answer is the one that is waited for. */
export async function askUntil(lease: OpenLease, verb: string, isIt: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await lease.ask(verb);
    if (isIt(answer)) return answer;
    await pause(100);
  }
}

function readJson(file: string): unknown {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}
