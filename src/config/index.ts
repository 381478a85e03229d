export { readAuditSinks } from "./audit-sinks.js";
export { explainCloudValue, explainProfileName } from "./check-value.js";
export { CONFIG_NAME, type ConfigSelection, type FoundConfig, findConfig } from "./find-config.js";
export { type LintFinding, type LintReport, lintConfig } from "./lint-config.js";
export { listProfiles, loadProfile, type ProfileSelection, type ProfileSummary } from "./load-profile.js";
export { presentProfile, renderProfile } from "./present-profile.js";
export { type ConfigProblem, formatProblem, showFile } from "./problems.js";
