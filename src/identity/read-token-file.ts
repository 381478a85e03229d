import { constants } from "node:fs";
import { AgentctlError, systemErrorCode } from "../core/errors.js";
import { explainSystemError } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { Secret } from "../core/secret.js";
import type { TokenCandidate } from "./source.js";

const MAX_BYTES = 64 * 1024;

/** A file that should hold a token, and how it came to be one. */
export interface TokenFile {
  readonly file: string;
  /** The variable that names it; absent for a file in its usual place. */
  readonly variable?: string;
  /** What to do when it cannot be read. */
  readonly hint: string;
}

/**
 * The token in a file.
 * @throws {AgentctlError} NO_IDENTITY when it cannot be read, TOKEN_MALFORMED when it is empty
 */
export function readTokenFile({ file, variable, hint }: TokenFile, runtime: Pick<Runtime, "fs">): TokenCandidate {
  const named = variable === undefined ? file : `${file} (${variable})`;
  const token = readSmallFile(file, hint, runtime).trim();
  if (token === "") {
    throw new AgentctlError("TOKEN_MALFORMED", `the token file ${named} is empty`, {
      hint: "see that what writes it has run",
    });
  }
  return { token: new Secret(token), origin: `the token in ${named}` };
}

/**
 * A symlink is followed, since Kubernetes projects its tokens as symlinks; O_NONBLOCK lets no named pipe hold us up.
 * @throws {AgentctlError} NO_IDENTITY
 */
export function readSmallFile(file: string, hint: string, { fs }: Pick<Runtime, "fs">): string {
  try {
    const fd = fs.openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fs.fstatSync(fd);
      if (!stat.isFile()) throw unusableFile(file, hint, "it is not a regular file");
      if (stat.size > MAX_BYTES) {
        throw unusableFile(file, hint, `it has ${stat.size} bytes, and no token is longer than ${MAX_BYTES}`);
      }
      const buffer = Buffer.alloc(MAX_BYTES);
      return buffer.toString("utf8", 0, fs.readSync(fd, buffer, 0, MAX_BYTES, 0));
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (error instanceof AgentctlError) throw error;
    // What is a link elsewhere is here a loop of links, since links are followed.
    const why = systemErrorCode(error) === "ELOOP" ? "its symbolic links go in a circle" : explainSystemError(error);
    throw unusableFile(file, hint, why, error);
  }
}

function unusableFile(file: string, hint: string, why: string, cause?: unknown): AgentctlError {
  return new AgentctlError("NO_IDENTITY", `cannot read the token file ${file}: ${why}`, { hint, cause });
}
