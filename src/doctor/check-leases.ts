import { formatInstant } from "../core/durations.js";
import { type ListedLease, listLeases } from "../lease/index.js";
import type { Check } from "./check.js";
import { type Finding, ok, warn } from "./finding.js";

export const checkLeases: Check = {
  name: "leases",
  run({ runtime }) {
    const leases = listLeases(runtime);
    const odd = leases.flatMap((lease) => judgeLease(lease, runtime.now()));
    if (odd.length > 0) return odd;
    return [ok(describeOpen(leases), { open: leases.length })];
  },
};

/** Such as `3 open: 1 with its agentctl, 2 queued, each with its watchdog`. */
function describeOpen(leases: readonly ListedLease[]): string {
  if (leases.length === 0) return "no lease is open";
  const queued = leases.filter(({ state }) => state === "queued").length;
  const elsewhere = leases.filter(({ state }) => state === "unknown").length;
  const held = leases.length - queued - elsewhere;
  const parts = [
    ...(held > 0 ? [`${held} with its agentctl`] : []),
    ...(queued > 0 ? [`${queued} queued, with its watchdog`] : []),
    ...(elsewhere > 0 ? [`${elsewhere} of another container or machine`] : []),
  ];
  return `${leases.length} open: ${parts.join(", ")}`;
}

function judgeLease(lease: ListedLease, now: number): Finding[] {
  if (lease.state === "unreadable") {
    const message = `lease ${lease.id} in the ledger cannot be read: ${lease.problem}`;
    return [warn("STATE_UNWRITABLE", message, `remove leases/${lease.id}.json in the state directory`)];
  }
  if (lease.state === "queued" && lease.waiter === undefined) {
    const message = `lease ${lease.id} on ${lease.entry.profile} is queued, and nobody is seen to wait until it can be taken back`;
    return [warn("NOT_TAKEN_BACK", message, `agentctl lease sweep ${lease.id} has somebody wait`)];
  }
  if (lease.state !== "orphaned") return [];
  const until = `${lease.usableUntil <= now ? "nothing of it works since" : "it can be used until"} ${formatInstant(lease.usableUntil)}`;
  const message = `lease ${lease.id} on ${lease.entry.profile} is orphaned: its agentctl ended without finishing it; ${until}`;
  return [warn("NOT_TAKEN_BACK", message, `agentctl lease sweep ${lease.id} ends it`)];
}
