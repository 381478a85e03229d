import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "vitest";
import { type Outcome, outcomeOf } from "../e2e/agentctl.js";

/** Where `npm run test:clients` installs the Python clients; without it, those on PATH are taken. */
const installed = process.env["AGENTCTL_TEST_CLIENTS"];

/** What a client's PATH has to be. */
export const CLIENT_PATH = [installed, process.env["PATH"]].filter(Boolean).join(":");

/** A file of test/clients/programs. */
export function program(name: string): string {
  return path.join(import.meta.dirname, "programs", name);
}

/** Runs a client with no agentctl around it, to show that what a test sets up would be found. */
export function runBare(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const [file = "", ...args] = command;
  return outcomeOf(spawn(file, args, { env: { PATH: CLIENT_PATH, ...env }, stdio: ["ignore", "pipe", "pipe"] }));
}

/** Writes files, by their names below a directory, and answers the directory. */
export function writeFiles(dir: string, files: Readonly<Record<string, string>>): string {
  fs.mkdirSync(dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text, { mode: 0o600 });
  }
  return dir;
}

/** Something that a test needs: a program on the PATH, and for `python3` modules of it. */
export interface Need {
  readonly tool: string;
  readonly modules?: readonly string[];
}

/** Skips a test, and says why, when something that it needs is not on this machine. */
export function skipWithout(skip: TestContext["skip"], ...needs: readonly Need[]): void {
  const missing = needs.map(findMissing).find((reason) => reason !== undefined);
  if (missing === undefined) return;
  console.info(`skipped: ${missing}`);
  skip(missing);
}

/** Asked once per tool: each question starts a process. */
const answers = new Map<string, string | undefined>();

function findMissing({ tool, modules = [] }: Need): string | undefined {
  const key = [tool, ...modules].join(" ");
  if (!answers.has(key)) answers.set(key, explainMissing(tool, modules));
  return answers.get(key);
}

function explainMissing(tool: string, modules: readonly string[]): string | undefined {
  if (!isOnPath(tool)) return `there is no ${tool} on PATH`;
  if (modules.length === 0) return undefined;
  const imports = modules.map((name) => `import ${name}`).join("; ");
  const { status } = spawnSync(tool, ["-c", imports], { env: { ...process.env, PATH: CLIENT_PATH } });
  return status === 0 ? undefined : `${tool} has no ${modules.join(", ")}: use npm run test:clients`;
}

function isOnPath(name: string): boolean {
  return CLIENT_PATH.split(":").some((dir) => fs.existsSync(path.join(dir, name)));
}
