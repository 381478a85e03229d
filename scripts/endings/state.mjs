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

/** The pids of those who hold the locks of one kind on leases. */
export function leaseOwners(state, kind) {
  const locks = names(path.join(state, "leases")).filter((name) => name.endsWith(`.${kind}`));
  return locks.flatMap((name) => readEntry(state, name)?.owner?.pid ?? []);
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

/** What a crash left half written is nobody's only once it is old: a sweep takes it after ten minutes. */
export function ageTornFiles(state) {
  const dir = path.join(state, "leases");
  const then = new Date(Date.now() - 11 * 60_000);
  for (const name of names(dir)) if (name.endsWith(".tmp")) fs.utimesSync(path.join(dir, name), then, then);
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
