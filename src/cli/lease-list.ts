import { type Command, InvalidArgumentError, Option } from "commander";
import { formatDuration, tryParseDuration } from "../core/durations.js";
import { isUnfinished } from "../core/unfinished.js";
import type { LedgerGrant, ListedLease } from "../lease/index.js";
import type { CliContext } from "./context.js";
import { describeLease } from "./lease-json.js";
import { renderTable } from "./table.js";

type State = ListedLease["state"];

interface ListOptions {
  readonly profile?: string;
  readonly state?: readonly State[];
  readonly olderThan?: number;
  readonly json?: boolean;
}

const STATES: Readonly<Record<State, string>> = {
  issuing: "the clouds are being asked",
  running: "the command runs",
  ending: "the command has ended, and its grants are being ended, by its agentctl or its watchdog",
  ended: "the grants were ended early, and the command still runs",
  orphaned: "its agentctl ended without finishing it: agentctl lease sweep does; --json has usableUntil",
  queued:
    "its cloud takes the rest back only later, and its watchdog waits for that; agentctl lease show tells until when",
  unknown: "its agentctl runs in another container or on another machine, or did",
  unreadable: "its entry in the ledger is none",
};

export function registerLeaseList(lease: Command, context: CliContext): void {
  lease
    .command("list")
    .summary("list the open leases")
    .description("List the leases that are open, and those whose agentctl process ended before it could end them.")
    .option("-p, --profile <name>", "leases of this profile")
    .addOption(
      new Option("--state <state>", "leases in this state; may be repeated")
        .choices(Object.keys(STATES))
        .argParser(collectState),
    )
    .option("--older-than <duration>", "leases opened at least so long ago, such as 2h", parseAge)
    .option("--json", "print a JSON array")
    .addHelpText("after", `${describeStates()}${EXAMPLES}`)
    .action((options: ListOptions) => listOpen(options, context));
}

async function listOpen(options: ListOptions, context: CliContext): Promise<void> {
  const { listLeases, selectLeases } = await import("../lease/index.js");
  const { runtime } = context;
  const all = listLeases(runtime);
  const leases = selectLeases(all, toSelection(options), runtime.now());
  if (options.json === true) {
    runtime.stdout.write(`${JSON.stringify(leases.map(describeLease), null, 2)}\n`);
  } else if (leases.length === 0) {
    runtime.stderr.write(`agentctl: ${all.length === 0 ? "no open leases" : "no such leases"}\n`);
  } else {
    const rows = leases.map((lease) => toRow(lease, runtime.now()));
    runtime.stdout.write(renderTable(["id", "profile", "state", "age", "ends in", "grants", "pid"], rows));
  }
}

function toSelection({ profile, state, olderThan }: ListOptions) {
  return {
    ...(profile !== undefined && { profile }),
    ...(state !== undefined && { states: state }),
    ...(olderThan !== undefined && { olderThanSeconds: olderThan }),
  };
}

function toRow(lease: ListedLease, now: number): readonly string[] {
  if (lease.state === "unreadable") return [lease.id, "", `unreadable: ${lease.problem}`];
  const { entry } = lease;
  return [
    lease.id,
    entry.profile,
    lease.state,
    formatDuration((now - entry.openedAt) / 1000),
    describeLeft(lease, now),
    entry.grants
      .filter(isLeft)
      .map((grant) => `${grant.cloud}: ${shortenPrincipal(grant.principal)}`)
      .join(", "),
    pidOf(lease),
  ];
}

/** Its time has not begun while its rights are given and waited for. */
function describeLeft({ state, entry }: Exclude<ListedLease, { state: "unreadable" }>, now: number): string {
  const { openedAt, deadlineAt, waitsFor } = entry;
  if (state === "issuing" && waitsFor !== undefined)
    return `${formatDuration((deadlineAt - openedAt) / 1000)}, not begun`;
  const left = Math.round((deadlineAt - now) / 1000);
  return left > 0 ? formatDuration(left) : "ended";
}

/** Of who is at it: the agentctl of one that is queued is dead. */
function pidOf(lease: Exclude<ListedLease, { state: "unreadable" }>): string {
  return String(lease.state === "queued" ? (lease.waiter ?? "") : lease.entry.owner.pid);
}

/** Not what has been taken back, of a lease that still holds something else. */
function isLeft({ ending }: LedgerGrant): boolean {
  return ending === undefined || ending.word === "failed" || isUnfinished(ending);
}

/** `ROLE/SESSION` of an ARN of a session, and the last part of any other path: `--json` has the whole. */
function shortenPrincipal(principal: string): string {
  const [, session] = principal.split(":assumed-role/");
  return session ?? principal.slice(principal.lastIndexOf("/") + 1);
}

function collectState(text: string, all: readonly string[] = []): readonly string[] {
  if (Object.hasOwn(STATES, text)) return [...all, text];
  throw new InvalidArgumentError(`It is one of ${Object.keys(STATES).join(", ")}.`);
}

function parseAge(text: string): number {
  const seconds = tryParseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError("Write it like 45s, 30m, 1h or 1h30m.");
  return seconds;
}

function describeStates(): string {
  const lines = Object.entries(STATES).map(([state, meaning]) => `  ${state.padEnd(11)} ${meaning}\n`);
  return `\nStates:\n${lines.join("")}`;
}

const EXAMPLES = `
Examples:
  agentctl lease list
  agentctl lease list -p deploy-web --state orphaned --older-than 1h
  agentctl lease list --json | jq -r '.[] | select(.state == "orphaned") | .id'
`;
