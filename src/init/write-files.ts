import { randomBytes } from "node:crypto";
import path from "node:path";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";

export interface NewFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  /** Take the place of one that is there; else that is an error. */
  readonly replace: boolean;
}

type FileSystem = Runtime["fs"];

/** Files of a repository are everybody's to read, within the umask. */
const MODE = 0o644;

/**
 * Writes all of the files or none: each whole beside its place first, then each put there at once.
 * @throws {AgentctlError} OUTPUT_UNWRITABLE, also for a file that is there and not to be replaced
 */
export function writeFiles(files: readonly NewFile[], fs: FileSystem): void {
  const undo: (() => void)[] = [];
  try {
    const drafts = files.map((each) => ({ ...each, draft: writeDraft(each, undo, fs) }));
    for (const { file, draft, replace } of drafts) {
      if (replace) fs.renameSync(draft, file);
      else putNew(draft, file, undo, fs);
    }
    for (const { draft } of drafts) fs.rmSync(draft, { force: true });
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw error instanceof AgentctlError ? error : cannotWrite(files[0]?.file ?? "", error);
  }
}

function writeDraft({ file, text }: NewFile, undo: (() => void)[], fs: FileSystem): string {
  const draft = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeDirs(path.dirname(file), undo, fs);
    undo.push(() => fs.rmSync(draft, { force: true }));
    fs.writeFileSync(draft, text, { mode: MODE, flag: "wx" });
    return draft;
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function makeDirs(dir: string, undo: (() => void)[], fs: FileSystem): void {
  if (fs.existsSync(dir)) return;
  makeDirs(path.dirname(dir), undo, fs);
  fs.mkdirSync(dir);
  undo.push(() => removeIfEmpty(dir, fs));
}

/** A hard link, unlike a rename, never takes the place of a file that has come meanwhile. */
function putNew(draft: string, file: string, undo: (() => void)[], fs: FileSystem): void {
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST") throw alreadyThere(file);
    if (!["EPERM", "ENOTSUP", "ENOSYS", "EMLINK"].includes(code ?? "")) throw cannotWrite(file, error);
    copyNew(draft, file, fs);
  }
  undo.push(() => fs.rmSync(file, { force: true }));
}

/** For file systems without hard links: a crash may leave half of it, but nothing is overwritten. */
function copyNew(draft: string, file: string, fs: FileSystem): void {
  try {
    fs.copyFileSync(draft, file, fs.constants.COPYFILE_EXCL);
  } catch (error) {
    throw systemErrorCode(error) === "EEXIST" ? alreadyThere(file) : cannotWrite(file, error);
  }
}

function removeIfEmpty(dir: string, fs: FileSystem): void {
  try {
    fs.rmdirSync(dir);
  } catch {}
}

export function alreadyThere(file: string): AgentctlError {
  return new AgentctlError("OUTPUT_UNWRITABLE", `${file} is there already`, {
    hint: "--force replaces it; --config FILE writes another",
    facts: { file },
  });
}

export function cannotWrite(file: string, error: unknown): AgentctlError {
  return new AgentctlError("OUTPUT_UNWRITABLE", `cannot write ${file}: ${explainSystemError(error)}`, {
    hint: "run it where you can write, or name another place with --config FILE",
    cause: error,
    facts: { file },
  });
}
