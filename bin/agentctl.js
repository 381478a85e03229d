#!/usr/bin/env node
"use strict";

const path = require("node:path");
const [option, ...others] = process.argv.slice(2);

if ((option === "--version" || option === "-V") && others.length === 0) {
  // Tools ask for it at every turn, so it is answered without loading the bundle.
  process.stdout.write(`${require("../package.json").version}\n`);
} else {
  const { loadBundle } = require("./load-bundle.js");
  loadBundle(path.join(__dirname, "../dist")).main();
}
