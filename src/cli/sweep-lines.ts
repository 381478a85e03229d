import { AgentctlError } from "../core/errors.js";
import type { CloudName } from "../core/profile.js";
import type { CloudSweep, SweepOutcome, SweepReport, SweptLease } from "../core/sweep-report.js";
import { describeEnding } from "./ending-line.js";
import { printable } from "./printable.js";
import { describeStrays } from "./record-story.js";

/** Why a lease was not ended; of the others their endings tell. */
const REASONS: Partial<Readonly<Record<SweepOutcome, string>>> = {
  running: "its agentctl is running",
  unknown: "whether its agentctl still runs cannot be told from here: another container, or another machine",
  unreadable: "its entry in the ledger cannot be read",
  busy: "another agentctl is ending it",
  gone: "it has ended by itself",
};

const MOST_NAMES = 3;

/** What leases leave in a cloud, and why some of it is left there. */
const LEFT: Readonly<Record<CloudName, { readonly noun: string; readonly ends: string; readonly why: string }>> = {
  aws: { noun: "denies", ends: "its session is fenced at", why: "each to be cleared five minutes after its fence" },
  azure: { noun: "assignments", ends: "its lease ends by", why: "each of a lease that may still be open" },
  gcp: { noun: "bindings", ends: "it ends at", why: "each of a lease that may still be open" },
};

/** One line a lease, a cloud and for the files; nothing where there was nothing. `now` in epoch ms. */
export function renderSweep({ leases, files, clouds }: SweepReport, now: number): string {
  const lines = [
    ...leases.map((lease) => describeSwept(lease, now)),
    ...clouds.map(describeCloud),
    ...(files.length === 0 ? [] : [`removed what killed processes had left: ${files.join(", ")}`]),
  ];
  return lines.map((line) => `agentctl: ${printable(line)}\n`).join("");
}

function describeSwept(lease: SweptLease, now: number): string {
  const { id, profile, outcome, endings, strays, problem } = lease;
  const parts = [
    ...endings.map((ending) => describeEnding(ending, now)),
    ...(strays === undefined || strays.found === 0 ? [] : [describeStrays(strays)]),
    REASONS[outcome] ?? "",
    problem ?? "",
  ].filter((part) => part !== "");
  if (outcome === "unfinished") parts.unshift("not finished");
  const what = parts.length === 0 ? "ended, and nothing was left to take back" : parts.join("; ");
  return `lease ${id}${profile === undefined ? "" : ` on ${profile}`}: ${what}`;
}

function describeCloud({ cloud, profile, where, removed, kept }: CloudSweep): string {
  const { noun, ends, why } = LEFT[cloud];
  const names = kept.map(({ name, until }) => `${name} (${ends} ${until})`);
  const parts = [
    ...(removed.length === 0 ? [] : [`removed ${listNames(removed, noun)}`]),
    ...(kept.length === 0 ? [] : [`kept ${listNames(names, noun)}, ${why}`]),
  ];
  return `${cloud}: ${where} (${profile}): ${parts.length === 0 ? "nothing of a lease was left" : parts.join("; ")}`;
}

/** By name where they are few; `--json` has them all. */
function listNames(names: readonly string[], noun: string): string {
  return names.length <= MOST_NAMES ? names.join(", ") : `${names.length} ${noun}`;
}

/**
 * What makes the command fail, so that nobody takes a lease for ended that is not.
 * @throws {AgentctlError} NOT_TAKEN_BACK when one of the outcomes is among `failures`
 */
export function requireEnded({ leases }: SweepReport, failures: readonly SweepOutcome[]): void {
  const open = leases.filter(({ outcome }) => failures.includes(outcome));
  if (open.length === 0) return;
  const ids = open.map(({ id }) => id);
  const what =
    open.length === 1 ? `lease ${ids[0]} is not ended` : `${ids.length} leases are not ended: ${ids.join(", ")}`;
  throw new AgentctlError("NOT_TAKEN_BACK", what, {
    hint: "agentctl lease show ID tells what is left; agentctl lease sweep tries again",
    facts: { leases: ids },
  });
}
