#!/usr/bin/env node
"use strict";

const { loadWithCodeCache } = require("./code-cache.js");
const entry = require("../dist/entry.cjs");

loadWithCodeCache(require("node:path").join(__dirname, "../dist"), entry).main();
