import type { Runtime } from "../core/runtime.js";
import { findForbidden } from "./guard-project.js";
import { locate } from "./locate.js";
import { type ParsedYaml, parseYaml } from "./parse-yaml.js";
import { type ConfigPath, type ConfigProblem, formatPath, showFile } from "./problems.js";
import { readTextFile } from "./read-text.js";
import { type ConfigData, projectSchema, userSchema } from "./schema.js";
import { validate } from "./validate.js";

const MAX_BYTES = 1024 * 1024;

/** A configuration file that was read and is valid by itself. */
export interface ConfigFile {
  /** Absolute. */
  readonly file: string;
  readonly shown: string;
  readonly owner: "project" | "user";
  readonly yaml: ParsedYaml;
  readonly data: ConfigData;
}

export interface ConfigRead {
  /** Absent when the file is not fit to go on with. */
  readonly config?: ConfigFile;
  readonly problems: readonly ConfigProblem[];
}

/** Reads and checks one file; everything that is wrong with it is answered, at its line and column. */
export function readConfigFile(file: string, owner: ConfigFile["owner"], runtime: Runtime): ConfigRead {
  const shown = showFile(file, runtime);
  const read = readTextFile(file, MAX_BYTES, runtime.fs);
  if ("wrong" in read) {
    const code = read.missing ? "CONFIG_NOT_FOUND" : "CONFIG_INVALID";
    return { problems: [{ code, file: shown, path: "", message: `cannot be read: ${read.wrong}` }] };
  }
  const yaml = parseYaml(read.text);
  if (yaml.faults.length > 0) {
    return { problems: yaml.faults.map((fault) => ({ code: "CONFIG_SYNTAX", file: shown, path: "", ...fault })) };
  }
  return checkContent({ file, shown, owner, yaml });
}

function checkContent(source: Omit<ConfigFile, "data">): ConfigRead {
  const { shown, owner, yaml } = source;
  if (yaml.data === null || yaml.data === undefined) {
    const message = "the file is empty; it begins with version: 1";
    return { problems: [{ code: "CONFIG_INVALID", file: shown, line: 1, column: 1, path: "", message }] };
  }
  const checked = validate(owner === "project" ? projectSchema : userSchema, yaml.data);
  if ("invalid" in checked) {
    return {
      problems: checked.invalid.map(({ path, part, message }) => ({
        code: "CONFIG_INVALID",
        ...problemAt(source, path, message, part),
      })),
    };
  }
  const refusals = owner === "project" ? findForbidden(checked.data) : [];
  const problems = refusals.map(({ code, path, part, message, hint }) => ({
    code,
    hint,
    ...problemAt(source, path, message, part),
  }));
  return problems.length > 0 ? { problems } : { config: { ...source, data: checked.data }, problems };
}

/** A problem at the place of a path in a file. */
export function problemAt(
  source: Pick<ConfigFile, "shown" | "yaml">,
  path: ConfigPath,
  message: string,
  part: "key" | "value" = "value",
): Omit<ConfigProblem, "code"> {
  return { file: source.shown, ...locate(source.yaml, path, part), path: formatPath(path), message };
}
