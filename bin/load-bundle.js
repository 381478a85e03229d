"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");
const { openCodeCache } = require("./code-cache.js");

/**
 * Runs the bundle (scripts/build.mjs) and answers the exports of its entry. Each file of it is an object of functions,
 * a chunk each, by name: those that are small are together in the first file, any other is alone in a file of its
 * own name, which is read when the chunk is first required.
 */
exports.loadBundle = (dist) => {
  const { build, first, entry } = JSON.parse(fs.readFileSync(path.join(dist, "bundle.json"), "utf8"));
  const cache = openCodeCache(build);
  const chunks = new Map();
  const loaded = new Map();

  const readChunks = (file) => {
    const filename = path.join(dist, `${file}.js`);
    const source = fs.readFileSync(filename, "latin1");
    const script = new vm.Script(source, { filename, cachedData: cache.read(file) });
    cache.note(file, script);
    for (const [name, chunk] of Object.entries(script.runInThisContext())) chunks.set(name, chunk);
  };
  const load = (name) => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    if (!chunks.has(name)) readChunks(name);
    const module = { exports: {} };
    loaded.set(name, module);
    chunks.get(name).call(module.exports, module.exports, requireFrom, module);
    return module.exports;
  };
  const requireFrom = (id) => (id.startsWith("./") ? load(id.slice(2)) : require(id));
  readChunks(first);
  return load(entry);
};
