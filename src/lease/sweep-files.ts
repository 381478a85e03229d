import path from "node:path";
import { readPrivateFile } from "../core/private-files.js";
import { isOwnerAlive, readOwner } from "../core/process-owner.js";
import type { Runtime } from "../core/runtime.js";
import { leaseFile, leasesDir } from "./entry.js";
import { LEASE_ID } from "./lease-id.js";
import { isAbsent, removeOurs, removePrivateDir } from "./leavings.js";
import { readLeaseNames } from "./list.js";
import { privateDirsRoot } from "./terms.js";

/**
 * The writing of a file of this size takes milliseconds. One that is not whole after ten minutes is the rest of a crash
 * or of a power cut; should its writer only have been asleep, such as a laptop with its lid closed, that finds its file
 * gone at the rename and says so, and the entry is as it was before.
 */
const TORN_AFTER_MS = 10 * 60_000;

/** The names that are made beside an entry: by a write of it or of the mark, the mark, the locks, and by waiting for them. */
const BESIDE =
  /^\.(?:(?:json|revoke)\.[0-9a-f]{12}\.tmp|revoke|(?:lock|queue)(?:\.[0-9a-f]{32}(?:\.[0-9a-f]{32})*(?:\.new)?)?)$/;

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
  return ids.filter((id) => isClosed(id, runtime) && removePrivateDir({ id }, runtime)).map((id) => `run/${id}`);
}

function readRunNames(runtime: Runtime): readonly string[] {
  try {
    return runtime.fs.readdirSync(privateDirsRoot(runtime));
  } catch {
    return [];
  }
}

function sweepLedgerDir(runtime: Runtime): readonly string[] {
  return readLeaseNames(runtime)
    .filter((name) => removeIfLeft(name, runtime))
    .map((name) => `leases/${name}`);
}

function removeIfLeft(name: string, runtime: Runtime): boolean {
  const id = name.split(".", 1)[0] ?? "";
  const rest = name.slice(id.length);
  if (!LEASE_ID.test(id) || !BESIDE.test(rest)) return false;
  // A mark or a lock is of use while the lease is open, whoever made it.
  if (!rest.endsWith(".tmp") && !isClosed(id, runtime)) return false;
  const file = path.join(leasesDir(runtime), name);
  if (!isLeft(file, runtime)) return false;
  removeOurs(file, "file", runtime);
  return isAbsent(file, runtime);
}

function isLeft(file: string, runtime: Runtime): boolean {
  try {
    // What is whole names its writer.
    const owner = readOwner(readPrivateFile(file, runtime.fs) ?? "");
    if (owner !== undefined) return isOwnerAlive(owner, runtime) === "dead";
    return runtime.now() - runtime.fs.lstatSync(file).mtimeMs >= TORN_AFTER_MS;
  } catch {
    // It is gone by now, or a link, or somebody else's.
    return false;
  }
}

/** A look of its own: a listing that is made while an entry is replaced may miss it. */
function isClosed(id: string, runtime: Runtime): boolean {
  return isAbsent(leaseFile(id, "json", runtime), runtime);
}
