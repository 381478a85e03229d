import { randomBytes } from "node:crypto";
import path from "node:path";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";

/**
 * Writes what a command prints to a file: a new one, or with `replace` in the place of a regular file, as a whole.
 * @throws {AgentctlError} OUTPUT_UNWRITABLE
 */
export function writeOutput(
  file: string,
  text: string,
  replace: boolean,
  { fs, cwd }: Pick<Runtime, "fs" | "cwd">,
): void {
  const target = path.resolve(cwd, file);
  try {
    if (replace) replaceFile(target, text, fs);
    else fs.writeFileSync(target, text, { flag: "wx" });
  } catch (error) {
    const isThere = systemErrorCode(error) === "EEXIST";
    throw new AgentctlError(
      "OUTPUT_UNWRITABLE",
      `cannot write ${file}: ${isThere ? "it is there already" : explainSystemError(error)}`,
      {
        hint: isThere ? "--force replaces it" : "give --out a file in a directory that you can write",
        cause: error,
      },
    );
  }
}

function replaceFile(target: string, text: string, fs: Runtime["fs"]): void {
  const there = fs.lstatSync(target, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) throw new Error("it is there and is not a regular file");
  const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    fs.writeFileSync(temporary, text, { flag: "wx", mode: there === undefined ? 0o666 : there.mode & 0o777 });
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}
