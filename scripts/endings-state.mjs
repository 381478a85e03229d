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

/** Whole records only: half a line is what a crash may leave at the log's end. */
export function auditRecords(state) {
  const log = path.join(state, "audit/audit.jsonl");
  if (!fs.existsSync(log)) return [];
  const lines = fs.readFileSync(log, "utf8").split("\n").filter(Boolean);
  return lines.flatMap((line, index) => (index < lines.length - 1 || line.endsWith("}") ? [JSON.parse(line)] : []));
}

function names(dir) {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}
