import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import { showFile } from "./problems.js";

export const CONFIG_NAME = "agentctl.yaml";

export interface ConfigSelection {
  /** As given with --config. */
  readonly configPath?: string;
}

/** A project's configuration file, and how it was come by. */
export interface FoundConfig {
  /** Absolute. */
  readonly file: string;
  readonly by: "--config" | "AGENTCTL_CONFIG" | "search";
}

/**
 * The project's file: `--config`, then `$AGENTCTL_CONFIG`, then the nearest `agentctl.yaml` from the working
 * directory up to the repository root (the directory that holds `.git`), never above it. Outside a repository only
 * the working directory is looked at. Answers undefined when a search finds nothing.
 *
 * A file that was found, not named, must belong to this user or to root, as with git's safe.directory: else another
 * user of the machine could put one in a shared directory above. Its mode is not looked at: GitLab's runner checks
 * out with a umask of 0. Naming the file says that it is trusted.
 * @throws {AgentctlError} CONFIG_NOT_FOUND, CONFIG_FORBIDDEN
 */
export function findConfig(selection: ConfigSelection, runtime: Runtime): FoundConfig | undefined {
  const { configPath } = selection;
  if (configPath !== undefined) return named(configPath, "--config", runtime);
  const variable = runtime.env["AGENTCTL_CONFIG"];
  if (variable !== undefined && variable !== "") return named(variable, "AGENTCTL_CONFIG", runtime);
  const file = search(runtime);
  if (file === undefined) return undefined;
  assertOwned(file, runtime);
  return { file, by: "search" };
}

function named(text: string, by: "--config" | "AGENTCTL_CONFIG", runtime: Runtime): FoundConfig {
  const file = path.resolve(runtime.cwd, text);
  if (exists(file, runtime.fs)) return { file, by };
  throw new AgentctlError("CONFIG_NOT_FOUND", `there is no ${showFile(file, runtime)} (from ${by})`, {
    hint: path.isAbsolute(text) ? "check the path" : "a relative path starts from the working directory",
  });
}

function search(runtime: Runtime): string | undefined {
  let nearest: string | undefined;
  for (let dir = runtime.cwd; ; dir = path.dirname(dir)) {
    const candidate = path.join(dir, CONFIG_NAME);
    if (nearest === undefined && exists(candidate, runtime.fs)) nearest = candidate;
    if (exists(path.join(dir, ".git"), runtime.fs)) return nearest;
    if (path.dirname(dir) === dir) break;
  }
  const here = path.join(runtime.cwd, CONFIG_NAME);
  return nearest === here ? here : undefined;
}

/** Both the file and, where it is a link, the link itself. */
function assertOwned(file: string, runtime: Runtime): void {
  if (runtime.uid < 0) return;
  for (const stat of [runtime.fs.lstatSync(file), runtime.fs.statSync(file, { throwIfNoEntry: false })]) {
    if (stat === undefined || stat.uid === runtime.uid || stat.uid === 0) continue;
    throw new AgentctlError("CONFIG_FORBIDDEN", `${file} belongs to another user (uid ${stat.uid})`, {
      hint: `if you trust it, name it: --config ${showFile(file, runtime)}, or set AGENTCTL_CONFIG`,
      facts: { file, uid: stat.uid },
    });
  }
}

/** A dangling link is there: reading it then says what is wrong. */
function exists(file: string, fs: Runtime["fs"]): boolean {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
