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
 * Prints what is wrong with the configuration and, where a cloud has a limit, how much of it its profiles use.
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
    runtime.stdout.write(
      [...findings.map(findingLine), ...planned.flatMap(({ lines }) => lines), countLine(findings)].join(""),
    );
  if (errors === 0) return;
  const count = errors === 1 ? "1 error" : `${errors} errors`;
  throw new AgentctlError("CONFIG_INVALID", `${count} in ${files.join(" and ")}`, { facts: { errors } });
}

interface Planned {
  readonly budget?: ProfileBudget;
  readonly finding?: LintFinding;
  /** What is said of the budget. */
  readonly lines: readonly string[];
}

/** The plan of a lease that is never opened: what would not fit is found here. */
async function planProfile(profile: Profile, runtime: Runtime): Promise<Planned> {
  const place = { file: showFile(profile.file, runtime), path: `profiles.${profile.name}` };
  try {
    const plans = await planGrants(profile, termsOf(profile, runtime), runtime);
    const clouds = Object.fromEntries(plans.map(({ cloud, facts }) => [cloud, facts]));
    const lines = plans.flatMap(({ cloud, facts }) => {
      const budget = describeBudget(facts, profile);
      return budget === undefined ? [] : [`${profile.name}: ${cloud}: ${budget}\n`];
    });
    const budget = { profile: profile.name, clouds };
    return isUnnarrowed(profile) ? { budget, lines, finding: unnarrowed(place) } : { budget, lines };
  } catch (thrown) {
    const { code, message, hint } = toAgentctlError(thrown);
    return { lines: [], finding: { severity: "error", code, ...place, message, ...(hint !== undefined && { hint }) } };
  }
}

function isUnnarrowed({ clouds: { aws } }: Profile): boolean {
  return aws !== undefined && aws.sessionPolicy === undefined && aws.policyArns.length === 0;
}

function unnarrowed({ file, path }: { readonly file: string; readonly path: string }): LintFinding {
  return {
    severity: "info",
    code: "CONFIG_INVALID",
    file,
    path: `${path}.aws`,
    message: "the role is not narrowed: the command may do all that the role may, until the fence",
    hint: "say in session_policy what the task needs",
  };
}

function termsOf(profile: Profile, runtime: Runtime): LeaseTerms {
  const openedAt = runtime.now();
  const deadlineAt = openedAt + profile.ttlSeconds * 1000;
  return {
    leaseId: `l-${"0".repeat(16)}`,
    profileName: profile.name,
    openedAt,
    deadlineAt,
    latestDeadlineAt: deadlineAt,
    ttlSeconds: profile.ttlSeconds,
    deliver: profile.deliver,
  };
}

function findingLine(finding: LintFinding): string {
  const hint = finding.hint === undefined ? "" : ` (${finding.hint})`;
  return `${finding.severity}: ${printable(formatProblem(finding))}${printable(hint)}\n`;
}

/** Of AWS alone; the fence is in every session policy, also where the profile has none of its own. */
function describeBudget(
  { policyCharactersUsed: used, policyCharactersLeft: left }: Facts,
  profile: Profile,
): string | undefined {
  if (typeof used !== "number" || typeof left !== "number") return undefined;
  const { sessionPolicy, policyArns = [] } = profile.clouds.aws ?? {};
  const room = `${used} of ${used + left} characters, ${left} left`;
  if (sessionPolicy !== undefined) return `session policy uses ${room}`;
  return policyArns.length > 0 ? `the fence and policy_arns use ${room}` : `the fence uses ${room}`;
}

function countLine(findings: readonly LintFinding[]): string {
  const count = (wanted: LintFinding["severity"], name: string) => {
    const number = findings.filter(({ severity }) => severity === wanted).length;
    return `${number} ${name}${number === 1 ? "" : "s"}`;
  };
  return `${count("error", "error")}, ${count("warning", "warning")}, ${count("info", "note")}\n`;
}
