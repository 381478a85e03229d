import type { Command } from "commander";
import { formatDuration, formatInstant } from "../core/durations.js";
import type { ListedLease } from "../lease/index.js";
import type { CliContext } from "./context.js";
import { renderTable } from "./table.js";

export function registerLease(program: Command, context: CliContext): void {
  const lease = program
    .command("lease")
    .summary("show the open leases")
    .description("Show the leases that are open.")
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  lease
    .command("list")
    .summary("list the open leases")
    .description("List the leases that are open, and those whose agentctl process died before it could end them.")
    .option("--json", "print a JSON array")
    .addHelpText("after", `${STATES}${EXAMPLES}`)
    .action(async (options: { readonly json?: boolean }) => {
      const { listLeases } = await import("../lease/index.js");
      showLeases(listLeases(context.runtime), options.json === true, context);
    });
}

function showLeases(leases: readonly ListedLease[], json: boolean, { runtime }: CliContext): void {
  if (json) {
    runtime.stdout.write(`${JSON.stringify(leases.map(toJson), null, 2)}\n`);
  } else if (leases.length === 0) {
    runtime.stderr.write("agentctl: no open leases\n");
  } else {
    const now = runtime.now();
    const rows = leases.map((lease) => toRow(lease, now));
    runtime.stdout.write(renderTable(["id", "profile", "state", "age", "ends in", "grants", "pid"], rows));
  }
}

function toRow(lease: ListedLease, now: number): readonly string[] {
  if (lease.state === "unreadable") return [lease.id, "", `unreadable: ${lease.problem}`];
  const { entry } = lease;
  const left = Math.round((entry.deadlineAt - now) / 1000);
  return [
    lease.id,
    entry.profile,
    describeState(lease.state, lease.usableUntil, now),
    formatDuration((now - entry.openedAt) / 1000),
    left > 0 ? formatDuration(left) : "ended",
    entry.grants.map((grant) => `${grant.cloud}: ${grant.principal}`).join(", "),
    String(entry.owner.pid),
  ];
}

/** Nobody ends an orphan's grants before their own time, so that time is what there is to know. */
function describeState(state: ListedLease["state"], usableUntil: number, now: number): string {
  if (state !== "orphaned") return state;
  return `orphaned, ${usableUntil > now ? "usable until" : "not usable since"} ${formatInstant(usableUntil)}`;
}

function toJson(lease: ListedLease): object {
  if (lease.state === "unreadable") return lease;
  const { id, state, entry } = lease;
  const instant = (time: number | undefined) => (time === undefined ? undefined : formatInstant(time));
  return {
    id,
    state,
    profile: entry.profile,
    openedAt: formatInstant(entry.openedAt),
    deadlineAt: formatInstant(entry.deadlineAt),
    usableUntil: formatInstant(lease.usableUntil),
    actor: entry.actor,
    command: entry.command,
    pid: entry.owner.pid,
    grants: entry.grants.map(({ cloud, principal, usableUntil, expiresAt }) => ({
      cloud,
      principal,
      usableUntil: instant(usableUntil),
      expiresAt: instant(expiresAt),
    })),
  };
}

const STATES = `
States: issuing, running, ending; orphaned (its agentctl died: the credentials work until the time shown);
unknown (it runs in another container or on another machine); unreadable.
`;

const EXAMPLES = `
Examples:
  agentctl lease list
  agentctl lease list --json | jq -r '.[] | select(.state == "orphaned") | .id'
`;
