"use strict";

// Loaded before agentctl (node --require): the disk is full for what is written below the directory $FULL_BELOW, once
// $FULL_AFTER files were.

const fs = require("node:fs");

const { FULL_BELOW: dir, FULL_AFTER: after = "0" } = process.env;
const { openSync, closeSync, writeFileSync } = fs;
const written = new Set();
let count = 0;

fs.openSync = (file, ...rest) => {
  const fd = openSync(file, ...rest);
  if (String(file).startsWith(`${dir}/`)) written.add(fd);
  return fd;
};
fs.closeSync = (fd) => {
  written.delete(fd);
  closeSync(fd);
};
fs.writeFileSync = (target, ...rest) => {
  if (written.has(target)) {
    count += 1;
    if (count > Number(after)) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  }
  writeFileSync(target, ...rest);
};
