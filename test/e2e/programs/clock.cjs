"use strict";

// Loaded before agentctl (node --require): its wall clock is ahead of the machine's by as many milliseconds as stand in
// the file $CLOCK_AHEAD.

const fs = require("node:fs");

const { now } = Date;
const ahead = () => Number(fs.readFileSync(process.env.CLOCK_AHEAD, "utf8"));

Date.now = () => now() + ahead();
globalThis.Date = class extends Date {
  constructor(...args) {
    super(...(args.length === 0 ? [now() + ahead()] : args));
  }
};
