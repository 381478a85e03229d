import fs from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import type { Outcome, Stage } from "./agentctl.js";
import type { Block } from "./three-clouds.js";

/** What each cloud is asked for, and answers to whoever may. */
export const EACH_CLOUD = ["s3:demo/hello.txt", "arm", "blob:demo/hello.txt", "gcs:demo/hello.txt"];
export const HELLO = "200 Hello from the agentctl sandbox.";

export interface Receipt {
  readonly deadlineAt: string;
  readonly identity: { readonly source: string; readonly subject: string };
  readonly grants: readonly {
    readonly cloud: string;
    readonly principal: string;
    readonly expiresAt: string;
    readonly facts: Block;
  }[];
  readonly endings: readonly { cloud: string; word: string; at: string; until?: string }[];
  readonly delivery: { readonly given: readonly string[] };
  readonly error?: { readonly code: string; readonly facts: Block };
}

export interface Told {
  readonly outcome: Outcome;
  /** What the program printed, by its argument. */
  readonly answers: Readonly<Record<string, string>>;
  readonly receipt: Receipt;
}

/** Runs test/e2e/programs/clouds.mjs, as `bundleProgram` made it, with a profile that must do. */
export async function askClouds(
  on: Stage,
  program: string,
  profile: string,
  ...actions: readonly string[]
): Promise<Told> {
  const file = path.join(on.dir, "receipt.json");
  const command = [process.execPath, program, ...actions];
  const outcome = await on.run(["run", "-p", profile, "--receipt", file, "--", ...command]);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  const lines = outcome.stdout.trimEnd().split("\n");
  const answers = Object.fromEntries(lines.map((line) => [line.split(" ", 1)[0] ?? "", line.replace(/^\S+ /, "")]));
  return { outcome, answers, receipt: readReceipt(file) };
}

export function readReceipt(file: string): Receipt {
  return JSON.parse(fs.readFileSync(file, "utf8")) as Receipt;
}
