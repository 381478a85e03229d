import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import { type LeaseEntry, leasesDir } from "./entry.js";
import { privateDirOf, privateDirsRoot } from "./terms.js";

type LeavingsRuntime = Pick<Runtime, "fs" | "env" | "cwd" | "uid">;

/**
 * Removes the private files of a lease that was claimed, below the state directory whatever its entry says; links in them
 * are removed and not followed. Answers false where something is still there.
 */
export function removePrivateDir({ id }: Pick<LeaseEntry, "id">, runtime: LeavingsRuntime): boolean {
  const dir = privateDirOf(id, runtime);
  if (isOurs(privateDirsRoot(runtime), "directory", runtime)) removeOurs(dir, "directory", runtime);
  return isAbsent(dir, runtime);
}

/**
 * Removes the file that held the place of a receipt: beside that and under the name that such a file has, whatever else
 * the entry says. Answers false where something is still there.
 */
export function removeReceiptPlace({ receipt }: Pick<LeaseEntry, "receipt">, runtime: LeavingsRuntime): boolean {
  if (receipt === undefined) return true;
  const { temporary } = receipt;
  if (isPlaceOf(receipt)) removeOurs(temporary, "file", runtime);
  return isAbsent(temporary, runtime);
}

/** Removes what writes of its entry left that were cut off. Only for a lease that was claimed, and whose owner is dead. */
export function removeTornWrites({ id }: Pick<LeaseEntry, "id">, runtime: LeavingsRuntime): void {
  const dir = leasesDir(runtime);
  const isTorn = (name: string): boolean => name.startsWith(`${id}.json.`) && name.endsWith(".tmp");
  for (const name of runtime.fs.readdirSync(dir).filter(isTorn)) removeOurs(path.join(dir, name), "file", runtime);
}

/** Removes what belongs to this user and is what it is said to be; whether it is gone is for `isAbsent` to say. */
export function removeOurs(place: string, kind: "file" | "directory", runtime: LeavingsRuntime): void {
  if (!isOurs(place, kind, runtime)) return;
  try {
    runtime.fs.rmSync(place, { recursive: kind === "directory", force: true });
  } catch {
    // Such as on a disk that has become read-only.
  }
}

/** Whether there is certainly nothing: of what can't be looked at that is not known. */
export function isAbsent(place: string, { fs }: Pick<Runtime, "fs">): boolean {
  try {
    return fs.lstatSync(place, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function isPlaceOf({ file, temporary }: NonNullable<LeaseEntry["receipt"]>): boolean {
  if (!path.isAbsolute(file) || path.dirname(temporary) !== path.dirname(file)) return false;
  const [prefix, name] = [`.${path.basename(file)}.`, path.basename(temporary)];
  return name.startsWith(prefix) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length));
}

/** Never true of a symbolic link, nor of what can't be looked at. */
function isOurs(place: string, kind: "file" | "directory", { fs, uid }: LeavingsRuntime): boolean {
  try {
    const stat = fs.lstatSync(place);
    return (uid < 0 || stat.uid === uid) && (kind === "file" ? stat.isFile() : stat.isDirectory());
  } catch {
    return false;
  }
}
