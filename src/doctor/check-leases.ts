import { formatInstant } from "../core/durations.js";
import { type ListedLease, listLeases } from "../lease/index.js";
import type { Check } from "./check.js";
import { type Finding, ok, warn } from "./finding.js";

export const checkLeases: Check = {
  name: "leases",
  run({ runtime }) {
    const leases = listLeases(runtime);
    const odd = leases.flatMap((lease) => judgeLease(lease, runtime.now()));
    const open = leases.length - odd.length;
    if (odd.length > 0) return odd;
    return [ok(open === 0 ? "no lease is open" : `${open} open, each with its agentctl`, { open })];
  },
};

function judgeLease(lease: ListedLease, now: number): Finding[] {
  if (lease.state === "unreadable") {
    const message = `lease ${lease.id} in the ledger cannot be read: ${lease.problem}`;
    return [warn("STATE_UNWRITABLE", message, `remove leases/${lease.id}.json in the state directory`)];
  }
  if (lease.state !== "orphaned") return [];
  const until = `${lease.usableUntil <= now ? "nothing of it works since" : "it can be used until"} ${formatInstant(lease.usableUntil)}`;
  const message = `lease ${lease.id} on ${lease.entry.profile} is orphaned: its agentctl ended without finishing it; ${until}`;
  return [warn("NOT_TAKEN_BACK", message, `agentctl lease sweep ${lease.id} ends it`)];
}
