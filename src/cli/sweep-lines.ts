import { formatInstant } from "../core/durations.js";
import { AgentctlError } from "../core/errors.js";
import { EXIT } from "../core/exit-codes.js";
import type { CloudName } from "../core/profile.js";
import type {
  CloudSweep,
  KeptInSweep,
  LeaseWaiter,
  SweepFailure,
  SweepOutcome,
  SweepReport,
  SweptLease,
} from "../core/sweep-report.js";
import { isUnfinished, lastRetryOf } from "../core/unfinished.js";
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
  gcp: { noun: "rights", ends: "it ends at", why: "each of a lease that may still be open" },
};

/** One line a lease, a cloud and for the files; nothing where there was nothing. `now` in epoch ms. */
export function renderSweep({ leases, files, clouds, failures }: SweepReport, now: number): string {
  const lines = [
    ...leases.map((lease) => describeSwept(lease, now)),
    ...clouds.map((sweep) =>
      describeCloud(
        sweep,
        failures.some((failure) => isOf(failure, sweep)),
      ),
    ),
    ...(files.length === 0 ? [] : [`removed what killed processes had left: ${files.join(", ")}`]),
  ];
  return lines.map((line) => `agentctl: ${printable(line)}\n`).join("");
}

function describeSwept(lease: SweptLease, now: number): string {
  const { id, profile, outcome, endings, strays, problem } = lease;
  const isQueued = outcome === "queued";
  const parts = [
    ...(isQueued ? [describeQueued(lease)] : []),
    ...endings.filter((ending) => !(isQueued && isUnfinished(ending))).map((ending) => describeEnding(ending, now)),
    ...(strays === undefined || strays.found === 0 ? [] : [describeStrays(strays)]),
    REASONS[outcome] ?? "",
    problem ?? "",
  ].filter((part) => part !== "");
  if (outcome === "unfinished") parts.unshift("not finished");
  const what = parts.length === 0 ? "ended, and nothing was left to take back" : parts.join("; ");
  return `lease ${id}${profile === undefined ? "" : ` on ${profile}`}: ${what}`;
}

/** What is left of it is somebody's, and needs no more doing. */
function describeQueued({ id, endings, waiter }: SweptLease): string {
  const left = endings.filter(isUnfinished);
  const clouds = left.map(({ cloud }) => cloud).join(" and ");
  const when = formatInstant(lastRetryOf(endings) ?? 0);
  const byThemselves = left.filter(({ word }) => word === "expires").map(({ cloud, at }) => `${cloud} ends at ${at}`);
  const otherwise = byThemselves.length === 0 ? "" : `; by itself ${byThemselves.join(" and ")}`;
  const act =
    waiter === undefined
      ? `${clouds} can be taken back from ${when} on, and nobody waits for that: agentctl lease sweep ${id} does it then`
      : `nothing to do: ${describeWaiter(waiter, clouds, when)}`;
  return `${act}${otherwise}`;
}

function isOf(failure: SweepFailure, { cloud, profile }: CloudSweep): boolean {
  return failure.cloud === cloud && failure.profile === profile;
}

function describeCloud({ cloud, profile, where, removed, kept }: CloudSweep, isPartial: boolean): string {
  const { noun, ends, why } = LEFT[cloud];
  const names = kept.map((one) => describeKept(one, ends));
  const found = [
    ...(removed.length === 0 ? [] : [`removed ${listNames(removed, noun)}`]),
    ...(kept.length === 0 ? [] : [`kept ${listNames(names, noun)}, ${why}`]),
  ];
  const parts = [
    ...(found.length > 0 ? found : ["nothing of a lease was found"]),
    ...(isPartial ? ["not all of it was swept"] : []),
  ];
  return `${cloud}: ${where} (${profile}): ${parts.join("; ")}`;
}

function describeKept({ name, until, endsByItself }: KeptInSweep, ends: string): string {
  if (until === undefined) return name;
  return `${name} (${endsByItself === true ? "it ends at" : ends} ${until})`;
}

/** By name where they are few; `--json` has them all. */
function listNames(names: readonly string[], noun: string): string {
  return names.length <= MOST_NAMES ? names.join(", ") : `${names.length} ${noun}`;
}

/**
 * What makes the command fail, so that nobody takes a lease for ended that is not.
 * @throws {AgentctlError} NOT_TAKEN_BACK when one of the outcomes is among `failures`
 */
export function requireEnded(report: SweepReport, failures: readonly SweepOutcome[]): void {
  const error = explainUnended(report, failures);
  if (error !== undefined) throw error;
}

/** Undefined where none of the outcomes is among `failures`. */
export function explainUnended({ leases }: SweepReport, failures: readonly SweepOutcome[]): AgentctlError | undefined {
  const open = leases.filter(({ outcome }) => failures.includes(outcome));
  if (open.length === 0) return undefined;
  const ids = open.map(({ id }) => id);
  const facts = { leases: ids };
  if (open.every(({ outcome, waiter }) => outcome === "queued" && waiter !== undefined)) {
    const what = open.length === 1 ? `lease ${ids[0]} is not ended yet` : `not ended yet: leases ${ids.join(", ")}`;
    const hint = `nothing to do: ${open.map(nameWaiter).join("; ")}; agentctl lease show ID tells when it has`;
    return new AgentctlError("NOT_TAKEN_BACK", `${what}: its cloud takes the rest back only later`, { hint, facts });
  }
  const what =
    open.length === 1 ? `lease ${ids[0]} is not ended` : `${ids.length} leases are not ended: ${ids.join(", ")}`;
  return new AgentctlError("NOT_TAKEN_BACK", what, {
    hint: "agentctl lease show ID tells what is left; agentctl lease sweep tries again",
    facts,
  });
}

function describeWaiter({ is, pid }: LeaseWaiter, what: string, when: string): string {
  if (is !== "command") return `its ${is} (process ${pid}) takes ${what} back at ${when}`;
  return `its watchdog takes ${what} back at ${when}, but not before its agentctl (process ${pid}) has ended`;
}

/** In a sentence about several. */
function nameWaiter({ id, endings, waiter }: SweptLease): string {
  const when = formatInstant(lastRetryOf(endings) ?? 0);
  return waiter === undefined ? "" : describeWaiter(waiter, id, when);
}

/** What of the clouds was not swept, by name; those that failed alike are one error. */
export function explainUnswept({ failures }: SweepReport): readonly AgentctlError[] {
  const alike = new Map<string, SweepFailure[]>();
  for (const failure of failures) {
    const key = JSON.stringify([failure.code, failure.message, failure.hint]);
    alike.set(key, [...(alike.get(key) ?? []), failure]);
  }
  return [...alike.values()].map((all) => {
    const { code, message, hint } = all[0] as SweepFailure;
    const details = {
      ...(hint !== undefined && { hint }),
      ...(code === "INTERRUPTED" && { exitCode: EXIT.notTakenBack }),
    };
    return new AgentctlError(code, `not swept: ${all.map(nameFailure).join("; ")}: ${message}`, details);
  });
}

/** Such as `azure of deploy-web, application 1111…`. */
function nameFailure({ profile, cloud, part }: SweepFailure): string {
  if (profile === undefined) return "the clouds of the profiles";
  const where = cloud === undefined ? `profile ${profile}` : `${cloud} of ${profile}`;
  return part === undefined ? where : `${where}, ${part}`;
}
