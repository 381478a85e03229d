// The steps of a lease's life at which `npm run endings` kills agentctl. Each calls `act` at once when it is reached, and
// answers how to stop looking.
import fs from "node:fs";
import path from "node:path";
import { readEntry } from "./endings-state.mjs";

const ISSUE = "AssumeRoleWithWebIdentity:agentctl-demo";
const REVOKER = "AssumeRoleWithWebIdentity:agentctl-revoker";
const nothing = () => {};

/** In the order of a lease's life; `phase` is the row that it is counted in. */
export const STEPS = [
  { name: "the receipt's place is taken", phase: "before the ledger", needs: "receipt", arm: onFile("home", /\.tmp$/) },
  { name: "the ledger's file is being written", phase: "before the ledger", arm: onFile("leases", /\.tmp$/) },
  { name: "the lease is in the ledger", phase: "issuing", arm: onFile("leases", /\.json$/) },
  ...onCall("issuing", "the keys", ISSUE, 1),
  ...onCall("issuing", "the revoker, for a look", REVOKER, 1),
  ...onCall("issuing", "the look at the role", "GetRole:agentctl-demo", 1),
  { name: "private files are made", phase: "starting", arm: onFile("run", /^l-/) },
  { name: "the ledger says running", phase: "starting", arm: onEntry(({ state }) => state === "running") },
  { name: "the start goes on record", phase: "starting", arm: onRecord(1) },
  { name: "the command tells of itself", phase: "running", arm: onChild() },
  { name: "the ledger knows the command", phase: "running", arm: onEntry(({ child }) => child !== undefined) },
  { name: "the command has used its keys", phase: "running", arm: onKeysUsed() },
  { name: "the command is gone", phase: "ending", exits: true, arm: onChildGone() },
  { name: "the ledger says ending", phase: "ending", exits: true, arm: onEntry(({ state }) => state === "ending") },
  ...onCall("ending", "the baseline", "DecodeAuthorizationMessage", 1),
  ...onCall("ending", "the revoker", REVOKER, 2),
  ...onCall("ending", "the look at the role again", "GetRole:agentctl-demo", 2),
  ...onCall("ending", "the role's denies", "ListRolePolicies:agentctl-demo", 1),
  ...onCall("ending", "the deny", "PutRolePolicy:agentctl-demo", 1),
  ...onCall("ending", "the first look", "DecodeAuthorizationMessage", 2),
  ...onCall("ending", "the second look", "DecodeAuthorizationMessage", 3),
  { name: "the lease leaves the ledger", phase: "ended", exits: true, arm: onFileGone("leases", /\.json$/) },
  { name: "the end goes on record", phase: "ended", exits: true, arm: onRecord(2) },
  { name: "the receipt is there", phase: "ended", needs: "receipt", exits: true, arm: onFile("home", /^receipt-/) },
];

/** Where whoever ends the lease of a killed agentctl is killed as well. */
export const FINISHING = [
  onFile("leases", /\.lock$/),
  hold(REVOKER, "before"),
  hold("ListRolePolicies:agentctl-demo", "after"),
  hold("PutRolePolicy:agentctl-demo", "before"),
  hold("PutRolePolicy:agentctl-demo", "after"),
  onRecord(1),
  onFileGone("leases", /\.json$/),
];

function onCall(phase, what, call, nth) {
  return ["before", "after"].map((side) => ({
    name: `${what}: ${side} AWS ${side === "before" ? "hears" : "has done it"}`,
    phase,
    exits: phase === "ending",
    arm: hold(call, side, nth),
  }));
}

function hold(call, side, nth = 1) {
  return ({ lab }, act) => {
    lab.proxy.hold({ call, nth, side }, act);
    return nothing;
  };
}

function onFile(place, pattern) {
  return ({ lab }, act) => watch(dirOf(lab, place), (name) => pattern.test(name) && act());
}

function onFileGone(place, pattern) {
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
function onRecord(nth) {
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

function onChild() {
  return ({ trial }, act) => {
    trial.onChild(act);
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

function onChildGone() {
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
