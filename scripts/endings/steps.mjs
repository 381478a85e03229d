// The steps of a lease's life at which `npm run endings` kills agentctl. Each calls `act` at once when it is reached, and
// answers how to stop looking. `phase` is the row that it is counted in; `exits`: the command goes before it comes; `needs`:
// a trait that it takes; `profile`: one that it is found with alone; `weather`: how the cloud is from the command's start on;
// `beside`: what is run when whoever waits for the cloud's time was killed as well.
import fs from "node:fs";
import path from "node:path";
import { readEntry } from "./state.mjs";

const nothing = () => {};

/** A life in its order, with the calls that the cloud hears in it. */
export function lifeWith({ giving = [], issuing, ending, more = [] }) {
  return [
    {
      name: "the receipt's place is taken",
      phase: "before the ledger",
      needs: "receipt",
      arm: onFile("home", /\.tmp$/),
    },
    { name: "the ledger's file is being written", phase: "before the ledger", arm: onFile("leases", /\.tmp$/) },
    { name: "the lease is in the ledger", phase: "in the ledger", arm: onFile("leases", /\.json$/) },
    ...giving.flatMap((call) => callSteps("giving rights", call)),
    ...issuing.flatMap((call) => callSteps("issuing", call)),
    { name: "private files are made", phase: "starting", arm: onFile("run", /^l-/) },
    { name: "the ledger says running", phase: "starting", arm: onEntry(({ state }) => state === "running") },
    { name: "the start goes on record", phase: "starting", arm: onRecord(1) },
    { name: "the command tells of itself", phase: "running", arm: onChild() },
    { name: "the ledger knows the command", phase: "running", arm: onEntry(({ child }) => child !== undefined) },
    { name: "the command has used its keys", phase: "running", arm: onKeysUsed() },
    { name: "the command is gone", phase: "ending", exits: true, arm: onChildGone() },
    { name: "the ledger says ending", phase: "ending", exits: true, arm: onEntry(({ state }) => state === "ending") },
    ...ending.flatMap((call) => callSteps("ending", call)),
    { name: "the lease leaves the ledger", phase: "ended", exits: true, arm: onFileGone("leases", /\.json$/) },
    { name: "the end goes on record", phase: "ended", exits: true, arm: onRecord(2) },
    { name: "the receipt is there", phase: "ended", needs: "receipt", exits: true, arm: onFile("home", /^receipt-/) },
    ...more,
  ];
}

/** A call of an ending is counted from the command's start on, any other from the beginning. */
export function callSteps(phase, { what, call, nth = 1, ...more }) {
  const exits = phase === "ending";
  return ["before", "after"].map((side) => ({
    name: `${what}: ${side} the cloud ${side === "before" ? "hears" : "has done it"}`,
    phase,
    exits,
    isCall: true,
    ...more,
    arm: exits ? afterChild(hold(call, side, nth)) : hold(call, side, nth),
  }));
}

export function hold(call, side, nth = 1) {
  return ({ lab }, act) => {
    lab.proxy.hold({ call, nth, side }, act);
    return nothing;
  };
}

/** What is armed only when the command tells of itself. */
function afterChild(arm) {
  return (site, act) => {
    site.trial.child.then(() => arm(site, act));
    return nothing;
  };
}

export function onFile(place, pattern) {
  return ({ lab }, act) => watch(dirOf(lab, place), (name) => pattern.test(name) && act());
}

export function onFileGone(place, pattern) {
  return ({ lab }, act) => {
    const dir = dirOf(lab, place);
    return watch(dir, (name) => pattern.test(name) && !fs.existsSync(path.join(dir, name)) && act());
  };
}

function onEntry(holds) {
  return ({ lab }, act) =>
    watch(dirOf(lab, "leases"), (name) => {
      const entry = name.endsWith(".json") ? readEntry(lab.state, name) : undefined;
      if (entry !== undefined && holds(entry)) act();
    });
}

/** A lease is on record when it starts and when it ends. */
export function onRecord(nth) {
  return ({ lab }, act) => {
    const log = path.join(dirOf(lab, "audit"), "audit.jsonl");
    let size = sizeOf(log);
    let seen = 0;
    return watch(path.dirname(log), (name) => {
      if (name !== path.basename(log) || sizeOf(log) === size) return;
      size = sizeOf(log);
      seen += 1;
      if (seen === nth) act();
    });
  };
}

export function onChild() {
  return ({ trial }, act) => {
    trial.child.then(act);
    return nothing;
  };
}

function onKeysUsed() {
  return ({ trial, useKeys }, act) => {
    trial.child.then(async ({ keys }) => {
      await useKeys(keys);
      act();
    });
    return nothing;
  };
}

export function onChildGone() {
  return ({ trial }, act) => {
    trial.child.then(({ gone }) => gone.then(act));
    return nothing;
  };
}

function watch(dir, see) {
  const watcher = fs.watch(dir, (_, name) => name !== null && see(name));
  return () => watcher.close();
}

function dirOf(lab, place) {
  return place === "home" ? lab.home : path.join(lab.state, place);
}

function sizeOf(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
