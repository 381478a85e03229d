import fs from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import type { Outcome, Stage } from "./agentctl.js";

export interface Refusal {
  readonly code: number;
  readonly error: string;
  /** Each is found somewhere in what was printed; the hint is part of that. */
  readonly says: readonly RegExp[];
}

/** One error line, no child's output, no stack, and nothing of a token. */
export function expectRefusal(outcome: Outcome, want: Refusal): void {
  const lines = outcome.stderr.trimEnd().split("\n");
  const errors = lines.filter((line) => line.startsWith("agentctl: error["));
  expect(outcome, outcome.stderr).toMatchObject({ code: want.code, stdout: "" });
  expect(errors, outcome.stderr).toHaveLength(1);
  expect(errors[0]).toMatch(new RegExp(`^agentctl: error\\[${want.error}\\]: `));
  for (const pattern of want.says) expect(outcome.stderr).toMatch(pattern);
  for (const line of lines) expect(line).toMatch(/^agentctl: /);
  expect(outcome.stderr).not.toMatch(/eyJ|ya29|hunter2/);
}

/** A command for a run that must not come to it. */
export function neverRun(stage: Stage): string[] {
  return ["touch", path.join(stage.dir, "ran")];
}

/** The child did not run; no lease is in the ledger, and none of its private files. */
export function expectNothingLeft(stage: Stage): void {
  expect(fs.existsSync(path.join(stage.dir, "ran"))).toBe(false);
  for (const dir of ["leases", "run"]) {
    const full = path.join(stage.stateDir, dir);
    expect(fs.existsSync(full) ? fs.readdirSync(full) : []).toEqual([]);
  }
}

export function countRequests(stage: Stage, service: string, operation?: string): number {
  const asked = stage.sandbox.requests().filter((request) => request.service === service);
  return asked.filter((request) => (operation ?? request.operation) === request.operation).length;
}
