import { constants } from "node:fs";
import path from "node:path";
import type { ResolvedCommand } from "../core/decision.js";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";

type Candidate = { readonly is: "executable" | "missing" } | { readonly is: "unusable"; readonly why: string };

/** What execvp takes when there is no PATH; the working directory is nobody's intent then. */
const DEFAULT_PATH = "/usr/bin:/bin";

const SHELL_WORDS = new Set(
  `. : [[ alias bg break case cd continue declare dirs disown eval exec exit export fc fg for function getopts hash
  history if jobs let local popd pushd read readonly return select set shift shopt source suspend time times trap type
  typeset ulimit umask unalias unset until wait while {`.split(/\s+/),
);

/**
 * Finds the executable as execvp does: a name with a slash is a path, any other is looked for in `searchPath`,
 * the child's PATH, where an empty entry is the working directory. No shell has a say in it.
 * @throws {AgentctlError} COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE
 */
export function resolveCommand(
  argv: readonly [string, ...string[]],
  searchPath: string,
  runtime: Pick<Runtime, "fs" | "cwd">,
): ResolvedCommand {
  const name = argv[0];
  let unusable: AgentctlError | undefined;
  for (const candidate of candidatePaths(name, searchPath, runtime.cwd)) {
    const found = inspectCandidate(candidate, runtime);
    if (found.is === "executable") return { argv, path: candidate };
    if (found.is === "unusable") unusable ??= cannotExecute(candidate, found.why);
  }
  throw unusable ?? notFound(name);
}

/** The same search, for a name that may not be there: the absolute path of an executable, or undefined. */
export function findOnPath(name: string, searchPath: string, runtime: Pick<Runtime, "fs" | "cwd">): string | undefined {
  const isExecutable = (file: string): boolean => inspectCandidate(file, runtime).is === "executable";
  return candidatePaths(name, searchPath, runtime.cwd).find(isExecutable);
}

function candidatePaths(name: string, searchPath: string, cwd: string): string[] {
  if (name === "") return [];
  if (name.includes("/")) return [path.resolve(cwd, name)];
  const dirs = (searchPath === "" ? DEFAULT_PATH : searchPath).split(":");
  return dirs.map((dir) => path.resolve(cwd, dir, name));
}

function inspectCandidate(file: string, { fs }: Pick<Runtime, "fs">): Candidate {
  try {
    const stat = fs.statSync(file);
    if (stat.isDirectory()) return { is: "unusable", why: "it is a directory" };
    if (!stat.isFile()) return { is: "unusable", why: "it is not a file" };
    fs.accessSync(file, constants.X_OK);
    return { is: "executable" };
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return { is: "missing" };
    return { is: "unusable", why: explainSystemError(error) };
  }
}

function cannotExecute(file: string, why: string): AgentctlError {
  const hint = why === "permission denied" ? { hint: `make it executable: chmod +x ${file}` } : {};
  return new AgentctlError("COMMAND_NOT_EXECUTABLE", `cannot execute ${file}: ${why}`, hint);
}

function notFound(name: string): AgentctlError {
  if (name === "") return new AgentctlError("COMMAND_NOT_FOUND", "the command is empty");
  const place = name.includes("/") ? "there is no such file" : "it is not on the PATH";
  return new AgentctlError("COMMAND_NOT_FOUND", `cannot find ${name}: ${place}`, { hint: hintFor(name) });
}

function hintFor(name: string): string {
  if (/\s/.test(name)) return "give the command and its arguments as separate words, without quotes around all of them";
  if (/^\w+=/.test(name)) return `to set a variable for the command, write: -- env ${name.split("=", 1)[0]}=… COMMAND`;
  if (SHELL_WORDS.has(name)) return `${name} is a word of the shell, not a program: run sh -c '${name} …'`;
  return "check the spelling and the PATH; aliases and functions of your shell are not known here";
}
