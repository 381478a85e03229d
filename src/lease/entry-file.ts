import path from "node:path";
import { AgentctlError } from "../core/errors.js";
import { explainSystemError, readPrivateFile, syncDirectory, writePrivateFile } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { type LeaseEntry, leaseFile } from "./entry.js";
import { parseEntry } from "./parse-entry.js";

type FileRuntime = Pick<Runtime, "fs" | "env" | "cwd">;

/** What stands in the ledger under an id. */
export type EntryFound =
  | { readonly is: "entry"; readonly entry: LeaseEntry }
  | { readonly is: "gone" }
  | { readonly is: "unreadable"; readonly problem: string };

export function readEntryFile(id: string, runtime: FileRuntime): EntryFound {
  let text: string | undefined;
  try {
    text = readPrivateFile(leaseFile(id, "json", runtime), runtime.fs);
  } catch (error) {
    return { is: "unreadable", problem: explainSystemError(error) };
  }
  if (text === undefined) return { is: "gone" };
  const read = parseEntry(text);
  if ("problem" in read) return { is: "unreadable", problem: read.problem };
  return read.id === id
    ? { is: "entry", entry: read }
    : { is: "unreadable", problem: "it is the entry of another lease" };
}

/** Puts the entry on the disk as a whole before it returns. @throws {AgentctlError} STATE_UNWRITABLE */
export function writeEntryFile(entry: LeaseEntry, runtime: FileRuntime): void {
  writePrivateFile(leaseFile(entry.id, "json", runtime), `${JSON.stringify(entry, null, 2)}\n`, runtime.fs);
}

/**
 * Takes a lease out of the ledger, and then the mark that asked for its end; whoever sets the mark in between finds that
 * the lease is gone. A second time does nothing.
 * @throws {AgentctlError} STATE_UNWRITABLE
 */
export function removeEntryFile(id: string, runtime: FileRuntime): void {
  const file = leaseFile(id, "json", runtime);
  try {
    runtime.fs.rmSync(file, { force: true });
    syncDirectory(path.dirname(file), runtime.fs);
  } catch (error) {
    throw new AgentctlError("STATE_UNWRITABLE", `cannot remove ${file}: ${explainSystemError(error)}`, {
      hint: "agentctl lease list shows the lease until the file is gone",
      cause: error,
    });
  }
  try {
    runtime.fs.rmSync(leaseFile(id, "revoke", runtime), { force: true });
  } catch {
    // Without its lease a mark means nothing any more; the next sweep takes it away.
  }
}
