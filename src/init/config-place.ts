import path from "node:path";
import { CONFIG_NAME, findConfig } from "../config/index.js";
import { escapeControlCharacters } from "../core/control-characters.js";
import type { Runtime } from "../core/runtime.js";

/** The package's own file, in a repository that has agentctl as a dependency. */
const SCHEMA = "node_modules/agentctl/schema/agentctl.schema.json";

/** Where a configuration goes: both absolute. */
export interface ConfigPlace {
  readonly file: string;
  /** Of the repository, else the working directory. */
  readonly root: string;
}

/** ` --config FILE` for a command run in the root, as a CI job runs it; nothing where the search there finds the file. */
export function optionInRoot({ file, root }: ConfigPlace): string {
  return file === path.join(root, CONFIG_NAME) ? "" : optionFor(file, root);
}

/** The same for a command that is run here, and a variable that goes before what is found here. */
export function reachFromHere(
  { file }: ConfigPlace,
  runtime: Runtime,
): { readonly option: string; readonly misleading?: string } {
  const { env, cwd } = runtime;
  const named = env["AGENTCTL_CONFIG"] ?? "";
  if (named !== "" && path.resolve(cwd, named) === file) return { option: "" };
  if (!isFoundHere(file, runtime)) return { option: optionFor(file, cwd) };
  return { option: "", ...(named !== "" && { misleading: named }) };
}

function isFoundHere(file: string, runtime: Runtime): boolean {
  try {
    return findConfig({}, { ...runtime, env: { ...runtime.env, AGENTCTL_CONFIG: undefined } })?.file === file;
  } catch {
    return false;
  }
}

/** As one word of a shell; it goes into comments too, where a line must not end. */
function optionFor(file: string, dir: string): string {
  const shown = escapeControlCharacters(showFrom(dir, file));
  return ` --config ${/^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`}`;
}

/** The file as it is written from a directory. */
export function showFrom(dir: string, file: string): string {
  const relative = path.relative(dir, file);
  return relative.startsWith("..") ? file : relative;
}

/**
 * Where an editor finds the schema, from the configuration's directory. Undefined without a dependency: where agentctl
 * is installed on this machine is of no use to others who have the repository.
 */
export function findSchema({ file, root }: ConfigPlace, { fs }: Pick<Runtime, "fs">): string | undefined {
  const start = path.dirname(file);
  for (let dir = start; ; dir = path.dirname(dir)) {
    const candidate = path.join(dir, SCHEMA);
    if (fs.existsSync(candidate)) return path.relative(start, candidate);
    if (dir === root || path.dirname(dir) === dir) return undefined;
  }
}
