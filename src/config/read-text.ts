import { constants } from "node:fs";
import { TextDecoder } from "node:util";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";

export type TextRead = { readonly text: string } | { readonly wrong: string; readonly missing: boolean };

/**
 * Reads a small text file: a regular file (opening a FIFO would block), not longer than `maxBytes`, UTF-8.
 * Answers what is wrong instead of throwing, so that the caller can say which setting named the file.
 */
export function readTextFile(file: string, maxBytes: number, fs: Runtime["fs"]): TextRead {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) return wrong("it is not a regular file");
    if (stat.size > maxBytes) return wrong(`it is longer than ${maxBytes / 1024} KiB`);
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(fs.readFileSync(fd)) };
  } catch (error) {
    if (error instanceof TypeError) return wrong("it is not UTF-8 text");
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { wrong: missing ? "there is no such file" : explainSystemError(error), missing };
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function wrong(what: string): TextRead {
  return { wrong: what, missing: false };
}
