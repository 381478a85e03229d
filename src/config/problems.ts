import path from "node:path";
import { AgentctlError, type ErrorCode } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";

/** Where in a document: map keys and list indices, from the root. */
export type ConfigPath = readonly (string | number)[];

/** One thing that is wrong with a configuration file. Holds no secret: long values are never repeated. */
export interface ConfigProblem {
  readonly code: ErrorCode;
  /** The file as the user would write it: relative where it is below the working directory. */
  readonly file: string;
  /** From 1; absent when the file could not be read at all. */
  readonly line?: number;
  readonly column?: number;
  /** Such as `profiles.deploy.aws.chain[0].role_arn`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** Something that works otherwise than it reads, with its path inside the profile. */
export interface ProfileFinding {
  /** Absent: a warning. */
  readonly severity?: "info";
  readonly path: ConfigPath;
  readonly message: string;
  readonly hint: string;
}

/** Throws the first problem, and says how many there are besides. Does nothing when there is none. */
export function throwProblems(problems: readonly ConfigProblem[]): void {
  const [first, ...rest] = problems;
  if (first === undefined) return;
  const more = rest.length === 0 ? "" : ` (and ${rest.length} more; agentctl profile lint shows all)`;
  throw new AgentctlError(first.code, `${formatProblem(first)}${more}`, {
    ...(first.hint !== undefined && { hint: first.hint }),
    facts: {
      file: first.file,
      ...(first.line !== undefined && { line: first.line }),
      ...(first.column !== undefined && { column: first.column }),
      ...(first.path !== "" && { path: first.path }),
      problems: problems.length,
    },
  });
}

/** `file:line:column: dotted.path: what is wrong`, the form that editors and CI logs turn into a link. */
export function formatProblem(problem: ConfigProblem): string {
  const where = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  return `${where}: ${problem.path === "" ? "" : `${problem.path}: `}${problem.message}`;
}

/** In the order of the text. */
export function sortProblems<Problem extends ConfigProblem>(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

export function formatPath(segments: ConfigPath): string {
  let text = "";
  for (const segment of segments) {
    if (typeof segment === "number") text += `[${segment}]`;
    else text += `${text === "" ? "" : "."}${showKey(segment)}`;
  }
  return text;
}

/** A file as the user would write it. */
export function showFile(file: string, runtime: Pick<Runtime, "cwd">): string {
  const relative = path.relative(runtime.cwd, file);
  return relative === "" || relative.startsWith("..") || path.isAbsolute(relative) ? file : relative;
}

const LONGEST_SHOWN = 24;
const LONGEST_ARN_SHOWN = 120;

/** A value in quotes for a message. What is long enough to be a secret is cut, except an ARN, which is none. */
export function quoteValue(value: string): string {
  return `"${shorten(value)}"`;
}

/** A key is a name, and shown as one unless it hardly looks like one. */
function showKey(key: string): string {
  return /^[\w.-]{1,64}$/.test(key) ? key : shorten(key);
}

function shorten(value: string): string {
  if (value.startsWith("arn:") && value.length <= LONGEST_ARN_SHOWN) return value;
  return value.length <= LONGEST_SHOWN ? value : `${value.slice(0, 8)}…`;
}
