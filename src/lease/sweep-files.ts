import path from "node:path";
import { systemErrorCode } from "../core/errors.js";
import { readPrivateFile } from "../core/private-files.js";
import { isOwnerAlive, type ProcessOwner, parseOwner } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { leaseFile, leasesDir } from "./entry.js";
import { LEASE_ID } from "./lease-id.js";
import { isOurs, removePrivateDir } from "./leavings.js";
import { readLeaseNames } from "./list.js";
import { privateDirOf } from "./terms.js";

/**
 * The writing of a file of this size takes milliseconds. One that is not whole after ten minutes is the rest of a crash
 * or of a power cut; should its writer only have been asleep, such as a laptop with its lid closed, that finds its file
 * gone at the rename and says so, and the entry is as it was before.
 */
const TORN_AFTER_MS = 10 * 60_000;

/** The names that are made beside an entry: by a write of it or of the mark, the mark, the lock, and by waiting for the lock. */
const BESIDE = /^\.(?:(?:json|revoke)\.[0-9a-f]{12}\.tmp|revoke|lock|lock\.[0-9a-f]{32}(?:\.[0-9a-f]{32})*(?:\.new)?)$/;

/**
 * Removes what killed processes left of leases that are not in the ledger any more, and what they did not finish writing;
 * what may be a living process's own stays, and so does what can't be removed. Answers the names, relative to the state
 * directory.
 * @throws {AgentctlError} STATE_UNWRITABLE when the ledger's directory can't be read
 */
export function sweepFiles(runtime: Runtime): readonly string[] {
  return [...sweepPrivateDirs(runtime), ...sweepLedgerDir(runtime)];
}

/**
 * A lease's entry is there before its private directory is made, and is removed after it. So a directory that is seen
 * first, and whose entry is not there afterwards, is nobody's.
 */
function sweepPrivateDirs(runtime: Runtime): readonly string[] {
  const ids = readRunNames(runtime).filter((name) => LEASE_ID.test(name));
  return ids
    .filter((id) => !isOpen(id, runtime) && attempt(() => removePrivateDir({ id }, runtime)))
    .map((id) => `run/${id}`);
}

function readRunNames(runtime: Runtime): readonly string[] {
  try {
    return runtime.fs.readdirSync(path.dirname(privateDirOf("", runtime)));
  } catch {
    return [];
  }
}

function sweepLedgerDir(runtime: Runtime): readonly string[] {
  const names = readLeaseNames(runtime).filter((name) => {
    const [id, rest] = splitName(name);
    return LEASE_ID.test(id) && BESIDE.test(rest);
  });
  return names.filter((name) => attempt(() => removeIfLeft(name, runtime))).map((name) => `leases/${name}`);
}

function splitName(name: string): readonly [id: string, rest: string] {
  const dot = name.indexOf(".");
  return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot)];
}

function removeIfLeft(name: string, runtime: Runtime): boolean {
  const file = path.join(leasesDir(runtime), name);
  if (!isOurs(file, "file", runtime) || !isLeft(name, file, runtime)) return false;
  runtime.fs.rmSync(file, { force: true });
  return true;
}

/** A mark or a lock is of use while the lease is open, whoever made it. */
function isLeft(name: string, file: string, runtime: Runtime): boolean {
  const [id, rest] = splitName(name);
  if (!rest.endsWith(".tmp") && isOpen(id, runtime)) return false;
  const owner = ownerOf(file, runtime);
  if (owner !== undefined) return isOwnerAlive(owner, runtime) === "dead";
  const stat = runtime.fs.lstatSync(file, { throwIfNoEntry: false });
  return stat !== undefined && runtime.now() - stat.mtimeMs >= TORN_AFTER_MS;
}

/** What is whole names its writer; undefined for what is not, or is gone. */
function ownerOf(file: string, runtime: Runtime): ProcessOwner | undefined {
  try {
    return parseOwner((JSON.parse(readPrivateFile(file, runtime.fs) ?? "") as { owner?: unknown } | null)?.owner);
  } catch {
    return undefined;
  }
}

/** A look of its own: a listing that is made while an entry is replaced may miss it. */
function isOpen(id: string, runtime: Runtime): boolean {
  return runtime.fs.existsSync(leaseFile(id, "json", runtime));
}

/** What another process has removed meanwhile, or what can't be removed, is left out. */
function attempt(remove: () => boolean): boolean {
  try {
    return remove();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}
