import { AgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import { userConfigFile } from "../core/state-dir.js";
import { type ConfigFile, problemAt, readConfigFile } from "./config-file.js";
import { CONFIG_NAME, type ConfigSelection, type FoundConfig, findConfig } from "./find-config.js";
import { type ConfigProblem, showFile, sortProblems } from "./problems.js";

/** The project's file and the user's own, either of which may be missing, and what is wrong with them. */
export interface Configuration {
  readonly project?: ConfigFile;
  readonly user?: ConfigFile;
  /** Every file that was read, project first, as the user would write it. */
  readonly files: readonly string[];
  /** What led to the first of them; absent when that is the user's own, unnamed. */
  readonly foundBy?: FoundConfig["by"];
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads what there is. The user's own file counts as such even when it is named with --config; every other file is a
 * project's.
 * @throws {AgentctlError} CONFIG_NOT_FOUND when there is neither; CONFIG_FORBIDDEN when one is not to be trusted
 */
export function openConfiguration(selection: ConfigSelection, runtime: Runtime): Configuration {
  const own = findUserConfig(runtime);
  const found = findConfig(selection, runtime);
  if (own === undefined && found === undefined) throw notFound(runtime);
  if (own !== undefined) assertPrivate(own, runtime);
  const isOwn = found !== undefined && own !== undefined && isSameFile(found.file, own, runtime.fs);

  const project = found === undefined || isOwn ? undefined : readConfigFile(found.file, "project", runtime);
  const user = own === undefined ? undefined : readConfigFile(own, "user", runtime);
  const files = [...(project === undefined ? [] : [found?.file ?? ""]), ...(own === undefined ? [] : [own])];
  const opened = {
    ...(project?.config !== undefined && { project: project.config }),
    ...(user?.config !== undefined && { user: user.config }),
  };
  return {
    ...opened,
    files: files.map((file) => showFile(file, runtime)),
    ...(found !== undefined && { foundBy: found.by }),
    problems: [...sortProblems(project?.problems ?? []), ...sortProblems(user?.problems ?? []), ...findClashes(opened)],
  };
}

function findUserConfig(runtime: Runtime): string | undefined {
  const file = userConfigFile(runtime);
  return file !== undefined && runtime.fs.existsSync(file) ? file : undefined;
}

/** A project must not put its own profile in the place of the user's, nor be overruled without a word. */
function findClashes({ project, user }: Pick<Configuration, "project" | "user">): readonly ConfigProblem[] {
  if (project === undefined || user === undefined) return [];
  const names = Object.keys(project.data.profiles ?? {}).filter((name) =>
    Object.hasOwn(user.data.profiles ?? {}, name),
  );
  return names.map((name) => ({
    code: "CONFIG_INVALID",
    ...problemAt(project, ["profiles", name], `there is a profile of this name in ${user.shown} as well`, "key"),
    hint: `rename one of them, or use the other file alone with --config ${user.shown}`,
  }));
}

/** The user's own file may set anything for the child, so nobody else may write it. */
function assertPrivate(file: string, runtime: Runtime): void {
  if (runtime.uid < 0) return;
  const { uid, mode } = runtime.fs.statSync(file);
  const owned = uid === runtime.uid || uid === 0;
  if (owned && (mode & 0o002) === 0) return;
  throw new AgentctlError(
    "CONFIG_FORBIDDEN",
    owned ? `${file} can be written by everyone` : `${file} belongs to another user (uid ${uid})`,
    { hint: owned ? `chmod o-w ${file}` : "it holds your own settings: it has to be your own file" },
  );
}

function isSameFile(a: string, b: string, fs: Runtime["fs"]): boolean {
  const [first, second] = [a, b].map((file) => fs.statSync(file, { throwIfNoEntry: false }));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

function notFound(runtime: Runtime): AgentctlError {
  return new AgentctlError("CONFIG_NOT_FOUND", `there is no ${CONFIG_NAME} here or up to the repository's root`, {
    hint: "agentctl init writes one; --config or AGENTCTL_CONFIG names one elsewhere",
    facts: { lookedFrom: runtime.cwd, userConfig: userConfigFile(runtime) ?? "" },
  });
}
