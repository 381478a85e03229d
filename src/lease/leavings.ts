import path from "node:path";
import type { Runtime } from "../core/runtime.js";
import type { LeaseEntry } from "./entry.js";
import { privateDirOf } from "./terms.js";

type LeavingsRuntime = Pick<Runtime, "fs" | "env" | "cwd" | "uid">;

/**
 * Removes the private files of a lease that was claimed, below the state directory whatever the entry says. Answers
 * whether there were any; links in it are removed and not followed.
 * @throws a system error where they can't be removed
 */
export function removePrivateDir({ id }: Pick<LeaseEntry, "id">, runtime: LeavingsRuntime): boolean {
  const dir = privateDirOf(id, runtime);
  if (!isOurs(path.dirname(dir), "directory", runtime) || !isOurs(dir, "directory", runtime)) return false;
  runtime.fs.rmSync(dir, { recursive: true, force: true });
  return true;
}

/**
 * Removes the file that held the place of a receipt, beside it and under the name that such a file has, whatever else the
 * entry says. Answers whether there was one.
 * @throws a system error where it can't be removed
 */
export function removeReceiptPlace({ receipt }: Pick<LeaseEntry, "receipt">, runtime: LeavingsRuntime): boolean {
  if (receipt === undefined || !isPlaceOf(receipt)) return false;
  if (!isOurs(receipt.temporary, "file", runtime)) return false;
  runtime.fs.rmSync(receipt.temporary, { force: true });
  return true;
}

function isPlaceOf({ file, temporary }: NonNullable<LeaseEntry["receipt"]>): boolean {
  if (!path.isAbsolute(file) || path.dirname(temporary) !== path.dirname(file)) return false;
  const [prefix, name] = [`.${path.basename(file)}.`, path.basename(temporary)];
  return name.startsWith(prefix) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length));
}

/** Never true of a symbolic link. */
export function isOurs(place: string, kind: "file" | "directory", { fs, uid }: LeavingsRuntime): boolean {
  const stat = fs.lstatSync(place, { throwIfNoEntry: false });
  if (stat === undefined || (uid >= 0 && stat.uid !== uid)) return false;
  return kind === "file" ? stat.isFile() : stat.isDirectory();
}
