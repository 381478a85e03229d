// What agentctl has written down, for `npm run endings`.
import fs from "node:fs";
import path from "node:path";

export function leaseEntries(state) {
  return names(path.join(state, "leases")).filter((name) => name.endsWith(".json"));
}

export function readEntry(state, name) {
  try {
    return JSON.parse(fs.readFileSync(path.join(state, "leases", name), "utf8"));
  } catch {
    return undefined;
  }
}

/** Files that nobody needs any more once no lease is open: relative to the home. */
export function leftovers(home, state) {
  return [
    ...names(path.join(state, "leases")).map((name) => `leases/${name}`),
    ...names(path.join(state, "run")).map((name) => `run/${name}`),
    ...names(home).filter((name) => name.endsWith(".tmp")),
    ...names(path.join(state, "audit")).filter((name) => name.endsWith(".tmp")),
  ];
}

export function auditRecords(state) {
  try {
    const lines = fs.readFileSync(path.join(state, "audit/audit.jsonl"), "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

/** Leases of which the log tells the beginning and not the end. */
export function unendedLeases(state) {
  const records = auditRecords(state);
  const ended = new Set(records.filter(({ kind }) => kind === "lease.end").map(({ lease }) => lease));
  return records.filter(({ kind, lease }) => kind === "lease.start" && !ended.has(lease)).map(({ lease }) => lease);
}

function names(dir) {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}
