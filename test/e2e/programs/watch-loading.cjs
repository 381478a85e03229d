"use strict";

// Loaded before agentctl (node --require): writes into $WATCHED which files of the bundle it compiled, and which of
// them from V8's code cache.

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const loads = [];
const { Script } = vm;

vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options);
    const isCached = options.cachedData !== undefined && this.cachedDataRejected === false;
    loads.push({ file: path.basename(options.filename), isCached });
  }
};

process.on("exit", () => fs.writeFileSync(process.env.WATCHED, JSON.stringify(loads)));
