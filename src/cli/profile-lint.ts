import { planGrants } from "../clouds/index.js";
import { formatProblem, type LintFinding, lintConfig, showFile } from "../config/index.js";
import { AgentctlError, toAgentctlError } from "../core/errors.js";
import type { Facts, LeaseTerms } from "../core/lease.js";
import type { Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { printable } from "./printable.js";

interface ProfileBudget {
  readonly profile: string;
  /** What each cloud's plan says of its limits, by cloud. */
  readonly clouds: Readonly<Record<string, Facts>>;
}

/**
 * Prints what is wrong with the configuration and how much of each limit its profiles use.
 * @throws {AgentctlError} CONFIG_INVALID (exit 78) when there is an error among the findings
 */
export async function lintProfiles(
  selection: { readonly configPath?: string; readonly profileName?: string },
  json: boolean,
  runtime: Runtime,
): Promise<void> {
  const report = await lintConfig(selection, runtime);
  const planned = await Promise.all(report.profiles.map((profile) => planProfile(profile, runtime)));
  const findings = [...report.findings, ...planned.flatMap(({ finding }) => finding ?? [])];
  const budgets = planned.flatMap(({ budget }) => budget ?? []);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const { files } = report;
  if (json) runtime.stdout.write(`${JSON.stringify({ ok: errors === 0, files, findings, budgets }, null, 2)}\n`);
  else
    runtime.stdout.write([...findings.map(findingLine), ...budgets.flatMap(budgetLines), countLine(findings)].join(""));
  if (errors === 0) return;
  const count = errors === 1 ? "1 error" : `${errors} errors`;
  throw new AgentctlError("CONFIG_INVALID", `${count} in ${files.join(" and ")}`, { facts: { errors } });
}

/** The plan of a lease that is never opened: what would not fit is found here. */
async function planProfile(
  profile: Profile,
  runtime: Runtime,
): Promise<{ readonly budget?: ProfileBudget; readonly finding?: LintFinding }> {
  try {
    const plans = await planGrants(profile, termsOf(profile, runtime), runtime);
    const clouds = Object.fromEntries(plans.map(({ cloud, facts }) => [cloud, facts]));
    return { budget: { profile: profile.name, clouds } };
  } catch (thrown) {
    const { code, message, hint } = toAgentctlError(thrown);
    const place = { file: showFile(profile.file, runtime), path: `profiles.${profile.name}` };
    return { finding: { severity: "error", code, ...place, message, ...(hint !== undefined && { hint }) } };
  }
}

function termsOf(profile: Profile, runtime: Runtime): LeaseTerms {
  const openedAt = runtime.now();
  return {
    leaseId: `l-${"0".repeat(16)}`,
    profileName: profile.name,
    openedAt,
    deadlineAt: openedAt + profile.ttlSeconds * 1000,
    ttlSeconds: profile.ttlSeconds,
    deliver: profile.deliver,
  };
}

function findingLine(finding: LintFinding): string {
  const hint = finding.hint === undefined ? "" : ` (${finding.hint})`;
  return `${finding.severity}: ${printable(formatProblem(finding))}${printable(hint)}\n`;
}

function budgetLines({ profile, clouds }: ProfileBudget): string[] {
  return Object.entries(clouds).map(([cloud, { policyCharactersUsed: used, policyCharactersLeft: left }]) => {
    if (typeof used !== "number" || typeof left !== "number") return `${profile}: ${cloud}\n`;
    return `${profile}: ${cloud}: session policy uses ${used} of ${used + left} characters, ${left} left\n`;
  });
}

function countLine(findings: readonly LintFinding[]): string {
  const count = (wanted: LintFinding["severity"], name: string) => {
    const number = findings.filter(({ severity }) => severity === wanted).length;
    return `${number} ${name}${number === 1 ? "" : "s"}`;
  };
  return `${count("error", "error")}, ${count("warning", "warning")}, ${count("info", "note")}\n`;
}
