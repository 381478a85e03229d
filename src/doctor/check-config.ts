import { formatProblem, type LintFinding, listProfiles } from "../config/index.js";
import type { Check } from "./check.js";
import { type Finding, fail, failWith, ok, warn } from "./finding.js";

export const checkConfig: Check = {
  name: "config",
  async run(examination) {
    const { report, failures } = await examination.configuration();
    const errors = report.findings.filter(({ severity }) => severity === "error");
    const warnings = report.findings.filter(({ severity }) => severity === "warning");
    if (errors.length > 0) return [summarize(errors, fail)];
    if (failures.length > 0) return failures.map(({ profile, error }) => failWith(error, `profile ${profile}`));
    if (warnings.length > 0) return [summarize(warnings, warn)];
    const { request, runtime } = examination;
    // With or without a name: a profile that is only there to be extended is not counted.
    const count = listProfiles(request, runtime).filter(({ clouds }) => clouds.length > 0).length;
    const what = `${report.files.join(" and ")}: ${count} ${count === 1 ? "profile" : "profiles"}`;
    const where = request.profileName === undefined ? "" : ` in ${request.profileName}`;
    return [ok(`${what}, no mistakes${where}`, { files: report.files })];
  },
};

/** The first, and how many there are besides. */
function summarize(findings: readonly LintFinding[], say: typeof fail): Finding {
  const [first] = findings as readonly [LintFinding, ...LintFinding[]];
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more; agentctl profile lint shows all)` : "";
  return say(first.code, `${formatProblem(first)}${more}`, first.hint);
}
