import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { AgentctlError, type ErrorCode } from "../../src/core/errors.js";
import type { Runtime } from "../../src/core/runtime.js";
import { type FakeRuntime, fakeRuntime } from "../fake-runtime.js";

export interface Project {
  /** The repository's root: it holds `.git`. */
  readonly dir: string;
  readonly runtime: FakeRuntime;
  /** A runtime in a directory below the root. */
  at(below: string, overrides?: Partial<Runtime>): FakeRuntime;
  write(file: string, text: string | Uint8Array): string;
  remove(): void;
}

/** A repository in a temporary directory, with a home of its own. */
export function createProject(files: Readonly<Record<string, string>> = {}): Project {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-config-")));
  fs.mkdirSync(path.join(dir, "repo", ".git"), { recursive: true });
  const root = path.join(dir, "repo");
  const at: Project["at"] = (below, overrides = {}) => {
    const cwd = path.join(root, below);
    fs.mkdirSync(cwd, { recursive: true });
    return fakeRuntime({ cwd, env: { HOME: path.join(dir, "home") }, ...overrides });
  };
  const write: Project["write"] = (file, text) => {
    const target = path.join(root, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
    return target;
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  return { dir: root, runtime: at("."), at, write, remove: () => fs.rmSync(dir, { recursive: true, force: true }) };
}

/** The user's own settings, below the home of a project. */
export const USER_CONFIG = "../home/.config/agentctl/config.yaml";

export const ROLE = "arn:aws:iam::111122223333:role/deploy";

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/** The AgentctlError that an action throws; anything else is thrown on, and nothing is a failed test. */
export function failureOf(action: () => unknown): Failure {
  try {
    action();
  } catch (thrown) {
    if (!(thrown instanceof AgentctlError)) throw thrown;
    return { code: thrown.code, message: thrown.message, hint: thrown.hint };
  }
  throw new Error("nothing was thrown");
}
