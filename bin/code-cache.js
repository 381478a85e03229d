"use strict";

// Loads the bundle's chunks with V8's code cache, on every Node from 20 on (`module.enableCompileCache`
// came with 22.1). Compiled code is trusted as code, so it lives where only this user can write,
// and is used only when the folder and the file are this user's own.

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const DAYS_KEPT = 30;
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;

/** Requires `entry` from `dist`; its chunks require each other through the same cache. */
exports.loadWithCodeCache = (dist, entry) => {
  const cacheDir = openCacheDir(entry);
  const loaded = new Map();
  const uncached = [];
  if (cacheDir !== undefined) process.on("exit", () => writeCaches(cacheDir, uncached));

  const load = (name) => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const file = path.join(dist, name);
    const source = `(function (exports, require, module) {${fs.readFileSync(file, "latin1")}\n})`;
    const cachedData = cacheDir === undefined ? undefined : readOwnFile(path.join(cacheDir, name));
    const script = new vm.Script(source, { filename: file, cachedData });
    if (cachedData === undefined || script.cachedDataRejected) uncached.push({ name, script });
    const module = { exports: {} };
    loaded.set(name, module);
    script.runInThisContext().call(module.exports, module.exports, requireFrom, module);
    return module.exports;
  };
  const requireFrom = (id) => (id.startsWith("./") && id.endsWith(".cjs") ? load(id.slice(2)) : require(id));
  return load(entry);
};

/** The folder for this build on this Node, or undefined when there is none that can be trusted. */
function openCacheDir(entry) {
  if (process.env.AGENTCTL_CODE_CACHE === "off" || process.getuid === undefined) return undefined;
  const base = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, ".cache"));
  if (!base || !path.isAbsolute(base)) return undefined;
  const own = path.join(base, "agentctl");
  const dir = path.join(own, `${entry.replace(/\.cjs$/, "")}-${process.version}-${process.arch}`);
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

function readOwnFile(file) {
  let fd;
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW);
    const stat = fs.fstatSync(fd);
    return stat.uid === process.getuid() && (stat.mode & 0o022) === 0 ? fs.readFileSync(fd) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** At exit, when the functions that this run used are compiled. A cache that can't be written is done without. */
function writeCaches(cacheDir, uncached) {
  for (const { name, script } of uncached) {
    const temporary = path.join(cacheDir, `${name}.${process.pid}.tmp`);
    try {
      const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        fs.writeFileSync(fd, script.createCachedData());
      } finally {
        fs.closeSync(fd);
      }
      fs.renameSync(temporary, path.join(cacheDir, name));
    } catch {
      fs.rmSync(temporary, { force: true });
    }
  }
}

function removeOldBuilds(own, current) {
  const oldest = Date.now() - DAYS_KEPT * 86_400_000;
  for (const name of fs.readdirSync(own)) {
    const dir = path.join(own, name);
    if (dir !== current && fs.lstatSync(dir).mtimeMs < oldest) fs.rmSync(dir, { recursive: true, force: true });
  }
}
