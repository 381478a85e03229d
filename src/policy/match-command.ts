import path from "node:path";
import type { ResolvedCommand } from "../core/decision.js";
import type { Runtime } from "../core/runtime.js";
import { type CommandPattern, isWildcard, matchArguments, matchToken, type PatternToken } from "./command-pattern.js";

/** How a pattern's program is found. */
export interface ProgramLookup {
  /** Looks a name up just as the command's own was; undefined when there is no such program. */
  readonly resolve: (name: string) => string | undefined;
  /** What a relative path in a pattern starts from: the directory of the configuration file. */
  readonly baseDir: string;
  readonly fs: Pick<Runtime["fs"], "realpathSync">;
}

/** Whether a command fits a pattern: its program and, token by token, its arguments. */
export function matchCommand(pattern: CommandPattern, command: ResolvedCommand, lookup: ProgramLookup): boolean {
  return matchProgram(pattern.program, command.path, lookup) && matchArguments(pattern, command.argv.slice(1));
}

/**
 * Whether an executable is the one that a pattern means. A path in the pattern means that file; a name means
 * what the name is on PATH, so that another program of the same name elsewhere does not fit.
 */
export function matchProgram(token: PatternToken, executable: string, lookup: ProgramLookup): boolean {
  if (isWildcard(token)) return true;
  const isPath = token.some((text) => text.includes("/"));
  if (isPath && token.length === 1) return isSameProgram(path.resolve(lookup.baseDir, token[0]), executable, lookup);
  if (isPath) return matchPath(token, executable, lookup);
  const name = path.basename(executable);
  const meant = matchToken(token, name) ? lookup.resolve(name) : undefined;
  return meant !== undefined && isSameProgram(meant, executable, lookup);
}

/** A wildcard path is matched against where the file really is, its own leading directory resolved likewise. */
function matchPath([head, ...rest]: PatternToken, executable: string, lookup: ProgramLookup): boolean {
  const start = path.isAbsolute(head) ? head : `${lookup.baseDir}/${head}`;
  const slash = start.lastIndexOf("/");
  const dir = findReal(start.slice(0, slash) || "/", lookup);
  const real = findReal(executable, lookup);
  if (dir === undefined || real === undefined) return false;
  return matchToken([`${dir === "/" ? "" : dir}${start.slice(slash)}`, ...rest], real);
}

/** The name counts besides the file, since one file may be many programs by the name it is started with (busybox, shims). */
function isSameProgram(one: string, other: string, lookup: ProgramLookup): boolean {
  if (path.basename(one) !== path.basename(other)) return false;
  const real = findReal(one, lookup);
  return real !== undefined && real === findReal(other, lookup);
}

function findReal(file: string, { fs }: ProgramLookup): string | undefined {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined;
  }
}
