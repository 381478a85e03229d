import type { Command } from "commander";
import type { AuditRecord } from "../audit/index.js";
import { formatInstant } from "../core/durations.js";
import type { Runtime } from "../core/runtime.js";
import { lastRetryOf } from "../core/unfinished.js";
import type { ListedLease } from "../lease/index.js";
import type { CliContext } from "./context.js";
import type { Fact } from "./lease-fact.js";
import { describeLease } from "./lease-json.js";
import { tellLease } from "./lease-story.js";
import { printable } from "./printable.js";

/** What is known of one lease. */
interface KnownLease {
  readonly id: string;
  /** Absent when it is closed. */
  readonly open?: ListedLease;
  readonly records: readonly AuditRecord[];
}

export function registerLeaseShow(lease: Command, context: CliContext): void {
  lease
    .command("show")
    .summary("tell a lease's whole story, also once it has ended")
    .description("Tell a lease's whole story, one line a fact, oldest first, times in UTC.")
    .argument("<id>", "the lease; the beginning of its id will do")
    .option("--json", "print a JSON object, with the records of the audit log")
    .addHelpText("after", EXAMPLES)
    .action(async (typed: string, { json }: { readonly json?: boolean }) => {
      const { runtime } = context;
      const known = await findKnown(typed, runtime);
      const story = tellLease(known.open, known.records, runtime.now());
      runtime.stdout.write(json === true ? renderJson(known, story) : renderStory(known, story));
    });
}

/**
 * Of the open leases and of those on record.
 * @throws {AgentctlError} USAGE when there is none, or more than one fits; STATE_UNWRITABLE, AUDIT_UNWRITABLE
 */
async function findKnown(typed: string, runtime: Runtime): Promise<KnownLease> {
  const { chooseLeaseId, listLeases } = await import("../lease/index.js");
  const { readEvents } = await import("../audit/index.js");
  const leases = listLeases(runtime);
  const ids = new Set(leases.map((lease) => lease.id));
  for await (const { record } of readEvents({}, runtime)) {
    if (typeof record.lease === "string") ids.add(record.lease);
  }
  const id = chooseLeaseId(typed, [...ids], "lease");
  const open = leases.find((lease) => lease.id === id);
  const records: AuditRecord[] = [];
  for await (const { record } of readEvents({ lease: id }, runtime)) records.push(record);
  return { id, ...(open && { open }), records };
}

function renderStory(known: KnownLease, story: readonly Fact[]): string {
  const lines = story.map(({ at, text }) => `${at}  ${text}`);
  return [headline(known), ...lines].map((line) => `${printable(line)}\n`).join("");
}

function headline({ id, open, records }: KnownLease): string {
  if (open === undefined) return `${id} on ${records.at(-1)?.profile ?? "an unknown profile"}: closed`;
  if (open.state === "unreadable") return `${id}: its entry in the ledger cannot be read: ${open.problem}`;
  const { entry } = open;
  const child = entry.child === undefined ? "" : `, its command process ${entry.child.pid}`;
  const is = open.state === "orphaned" || open.state === "queued" ? "was" : "is";
  const waiter = open.state === "queued" ? `, and ${describeWaiter(open)}` : "";
  const waits = open.state === "issuing" && entry.waitsFor !== undefined ? `: ${entry.waitsFor}` : "";
  return `${id} on ${entry.profile}: ${open.state}, its agentctl ${is} process ${entry.owner.pid}${child}${waiter}${waits}`;
}

function describeWaiter({ id, waiter, entry }: Exclude<ListedLease, { state: "unreadable" }>): string {
  const until = lastRetryOf(entry.grants.flatMap(({ ending }) => ending ?? []));
  const when = until === undefined ? "" : ` at ${formatInstant(until)}`;
  if (waiter !== undefined) return `its watchdog, process ${waiter}, takes back what is left${when}`;
  return `nobody waits to take back what is left${when}: agentctl lease sweep ${id} has somebody wait`;
}

function renderJson({ id, open, records }: KnownLease, story: readonly Fact[]): string {
  const profile = records.at(-1)?.profile;
  const lease = open === undefined ? { id, state: "closed", profile } : describeLease(open);
  const lines = JSON.stringify({ ...lease, story, records }, null, 2).split("\n");
  return lines.map((line) => `${printable(line)}\n`).join("");
}

const EXAMPLES = `
Of a lease that is open it tells what the ledger holds, and of one that has ended what is on record.

Examples:
  agentctl lease show l-0H2K4N6Q8SAVCXEZ
  agentctl lease show l-0H2K --json | jq .story
`;
