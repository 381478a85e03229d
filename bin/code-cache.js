"use strict";

// V8's code cache, on every Node from 20 on (`module.enableCompileCache` came with 22.1). Compiled code is trusted as
// code, so it lives where only this user can write, and is used only when the folder and the file are this user's
// own. V8 takes the content as it is, and crashes where it is damaged: hence the digest in front of it.

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const DAYS_KEPT = 30;
const DIGEST_BYTES = 32;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
const NO_CACHE = { read: () => undefined, note: () => {} };

/** The cache of one build on this Node; one that holds nothing where no folder can be trusted. */
exports.openCodeCache = (build) => {
  const dir = openCacheDir(build);
  if (dir === undefined) return NO_CACHE;
  const scripts = new Map();
  let isComplete = true;
  // At the end, when the functions that were called are compiled. What had to be compiled anew is a sign that this
  // run went further than those before it, so all that it loaded is written again.
  process.on("exit", () => {
    if (!isComplete) for (const [name, script] of scripts) writeCache(path.join(dir, name), script.createCachedData());
  });
  return {
    read: (name) => readCache(path.join(dir, name)),
    note: (name, script) => {
      scripts.set(name, script);
      isComplete &&= script.cachedDataRejected === false;
    },
  };
};

function openCacheDir(build) {
  if (process.env.AGENTCTL_CODE_CACHE === "off" || process.getuid === undefined) return undefined;
  const base = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, ".cache"));
  if (!base || !path.isAbsolute(base)) return undefined;
  const own = path.join(base, "agentctl");
  const dir = path.join(own, `${build}-${process.version}-${process.arch}`);
  try {
    if (!isOwnDir(dir)) {
      fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
      if (!isOwnDir(dir)) return undefined;
      removeOldBuilds(own, dir);
    }
    return isOwnDir(own) ? dir : undefined;
  } catch {
    return undefined;
  }
}

function isOwnDir(dir) {
  const stat = fs.lstatSync(dir, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.getuid() && (stat.mode & 0o022) === 0;
}

function readCache(file) {
  let fd;
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW);
    const stat = fs.fstatSync(fd);
    if (stat.uid !== process.getuid() || (stat.mode & 0o022) !== 0) return undefined;
    const bytes = fs.readFileSync(fd);
    const data = bytes.subarray(DIGEST_BYTES);
    return digest(data).equals(bytes.subarray(0, DIGEST_BYTES)) ? data : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** What can't be written is done without. */
function writeCache(file, data) {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      fs.writeFileSync(fd, Buffer.concat([digest(data), data]));
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}

function digest(data) {
  return createHash("sha256").update(data).digest();
}

function removeOldBuilds(own, current) {
  const oldest = Date.now() - DAYS_KEPT * 86_400_000;
  for (const name of fs.readdirSync(own)) {
    const dir = path.join(own, name);
    if (dir !== current && fs.lstatSync(dir).mtimeMs < oldest) fs.rmSync(dir, { recursive: true, force: true });
  }
}
