import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import path from "node:path";
import { systemErrorCode } from "../core/errors.js";
import { explainSystemError, writePrivateFile } from "../core/private-files.js";
import type { Runtime } from "../core/runtime.js";
import { stateDir } from "../core/state-dir.js";
import type { Check } from "./check.js";
import { type Finding, fail, ok, warn } from "./finding.js";

const HINT = "set AGENTCTL_STATE_DIR to a directory of your own that you can write, on a disk with room";
const MEBIBYTE = 1024 * 1024;
const LOW_MEBIBYTES = 50;

export const checkState: Check = {
  name: "state",
  run({ runtime }) {
    const dir = stateDir(runtime);
    const findings = [...judgeDir(dir, runtime), ...judgeRoom(dir, runtime)];
    if (findings.length > 0) return findings;
    const isThere = statOf(dir, runtime) !== undefined;
    return [ok(isThere ? `${dir} is private and can be written` : `${dir} is not there yet, and can be made`, { dir })];
  },
};

function judgeDir(dir: string, runtime: Runtime): Finding[] {
  const stat = statOf(dir, runtime);
  if (stat === undefined) return judgeParent(dir, runtime);
  if (stat.isSymbolicLink()) return [fail("STATE_UNWRITABLE", `${dir} is a symbolic link`, HINT)];
  if (!stat.isDirectory()) return [fail("STATE_UNWRITABLE", `${dir} is not a directory`, HINT)];
  if (runtime.uid >= 0 && stat.uid !== runtime.uid) {
    return [fail("STATE_UNWRITABLE", `${dir} belongs to another user (uid ${stat.uid})`, HINT)];
  }
  const inside = ["", "leases", "audit", "run"].flatMap((name) => judgeMode(path.join(dir, name), runtime));
  return [...inside, ...judgeWriting(dir, runtime)];
}

/** One that is not there yet is made by the first run, where that is permitted. */
function judgeParent(dir: string, runtime: Runtime): Finding[] {
  let parent = path.dirname(dir);
  while (statOf(parent, runtime) === undefined && path.dirname(parent) !== parent) parent = path.dirname(parent);
  try {
    if (!runtime.fs.statSync(parent).isDirectory()) {
      return [fail("STATE_UNWRITABLE", `${dir} cannot be made: ${parent} is not a directory`, HINT)];
    }
    runtime.fs.accessSync(parent, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    return [fail("STATE_UNWRITABLE", `${dir} cannot be made: ${parent}: ${explainSystemError(error)}`, HINT)];
  }
}

function judgeMode(dir: string, runtime: Runtime): Finding[] {
  const stat = statOf(dir, runtime);
  if (stat === undefined || (stat.mode & 0o077) === 0) return [];
  const mode = (stat.mode & 0o777).toString(8);
  return [warn("STATE_UNWRITABLE", `${dir} is open to other users of this machine (mode ${mode})`, `chmod 700 ${dir}`)];
}

/** By writing: neither the mode nor access(2) tells of a full disk, a quota or a read-only mount. */
function judgeWriting(dir: string, runtime: Runtime): Finding[] {
  const probe = path.join(dir, `.doctor-${randomBytes(6).toString("hex")}`);
  try {
    writePrivateFile(probe, "agentctl doctor\n", runtime.fs);
    return [];
  } catch (error) {
    return [fail("STATE_UNWRITABLE", error instanceof Error ? error.message : String(error), HINT)];
  } finally {
    removeIfThere(probe, runtime);
  }
}

function judgeRoom(dir: string, runtime: Runtime): Finding[] {
  let place = dir;
  while (statOf(place, runtime) === undefined && path.dirname(place) !== place) place = path.dirname(place);
  let free: { readonly mebibytes: number; readonly files: number };
  try {
    const { bavail, bsize, files, ffree } = runtime.fs.statfsSync(place);
    // Some file systems (btrfs) count no files at all.
    free = { mebibytes: Math.floor((bavail * bsize) / MEBIBYTE), files: files === 0 ? Number.MAX_SAFE_INTEGER : ffree };
  } catch {
    return [];
  }
  if (free.files === 0) return [fail("STATE_UNWRITABLE", `no further file fits on the disk of ${dir}`, HINT)];
  if (free.mebibytes >= LOW_MEBIBYTES) return [];
  return [warn("STATE_UNWRITABLE", `${free.mebibytes} MiB are left on the disk of ${dir}`, HINT)];
}

function statOf(file: string, runtime: Runtime): Stats | undefined {
  try {
    return runtime.fs.lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (["ENOTDIR", "EACCES"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw error;
  }
}

function removeIfThere(file: string, runtime: Runtime): void {
  try {
    runtime.fs.rmSync(file, { force: true });
  } catch {}
}
