import path from "node:path";
import type { Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { ConfigFile } from "./config-file.js";
import { openConfiguration } from "./configuration.js";
import { inherit } from "./extends.js";
import { lintDelivery } from "./lint-delivery.js";
import { lintSessionPolicy, type Severity } from "./lint-policy.js";
import { lintRevoke } from "./lint-revoke.js";
import { lintRights } from "./lint-rights.js";
import { allProfiles, type NamedProfile, type ProfileSelection, pickProfile } from "./load-profile.js";
import { locate } from "./locate.js";
import { parseYaml } from "./parse-yaml.js";
import { type ConfigPath, type ConfigProblem, formatPath } from "./problems.js";
import { namesCloud, originOf, resolveProfile } from "./resolve-profile.js";

export interface LintFinding extends ConfigProblem {
  readonly severity: Severity;
}

export interface LintReport {
  /** What was read, as the user would write it. */
  readonly files: readonly string[];
  readonly findings: readonly LintFinding[];
  /** The profiles that resolve. */
  readonly profiles: readonly Profile[];
}

/**
 * Everything that is wrong with the configuration, or, when a name is given, with its files and that profile; and
 * what the session policies of its profiles are made of. What is not usable as a whole is a finding, not an error.
 * @throws {AgentctlError} CONFIG_NOT_FOUND, CONFIG_FORBIDDEN (a file of another user), PROFILE_UNKNOWN
 */
export async function lintConfig(selection: ProfileSelection, runtime: Runtime): Promise<LintReport> {
  const configuration = openConfiguration(selection, runtime);
  const { files } = configuration;
  const findings: LintFinding[] = configuration.problems.map((problem) => ({ severity: "error", ...problem }));
  const profiles: Profile[] = [];
  for (const { name, config } of chosen(selection, configuration, runtime)) {
    const resolution = resolveProfile(name, config, configuration, runtime);
    if ("problems" in resolution) {
      findings.push(...resolution.problems.map((problem) => ({ severity: "error" as const, ...problem })));
    } else {
      profiles.push(resolution.profile);
      findings.push(...placeFindings(resolution.profile, config));
      findings.push(...(await lintPolicy(resolution.profile, config, runtime)));
    }
  }
  return { files, findings: withoutRepeats(findings), profiles };
}

/** With a name, that profile; else all but those that are there to be extended. */
function chosen(
  { profileName }: ProfileSelection,
  configuration: ReturnType<typeof openConfiguration>,
  runtime: Runtime,
): readonly NamedProfile[] {
  if (profileName !== undefined) {
    const unreadable = configuration.problems.length > 0 && allProfiles(configuration).length === 0;
    return unreadable ? [] : [pickProfile(profileName, configuration, runtime)];
  }
  return allProfiles(configuration).filter(({ name, config }) => {
    const inherited = inherit(name, config);
    return "message" in inherited || namesCloud(inherited.block);
  });
}

function placeFindings(profile: Profile, config: ConfigFile): readonly LintFinding[] {
  const found = [...lintDelivery(profile), ...lintRevoke(profile, config.owner), ...lintRights(profile)];
  return found.map(({ severity, path, message, hint }) => ({
    severity: severity ?? "warning",
    code: "CONFIG_INVALID",
    message,
    hint,
    ...placeInProfile(path, profile, config),
  }));
}

async function lintPolicy(profile: Profile, config: ConfigFile, runtime: Runtime): Promise<readonly LintFinding[]> {
  const policy = profile.clouds.aws?.sessionPolicy;
  if (policy === undefined) return [];
  const placeOf = policy.origin === "inline" ? inlinePlace(profile, config) : filePlace(policy.origin, runtime);
  const findings = await lintSessionPolicy(policy.document);
  return findings.map(({ severity, path, message }) => ({
    severity,
    code: "POLICY_INVALID",
    message,
    ...placeOf(path),
  }));
}

type PlaceOf = (path: ConfigPath) => Pick<ConfigProblem, "file" | "line" | "column" | "path">;

function inlinePlace(profile: Profile, config: ConfigFile): PlaceOf {
  return (inPolicy) => placeInProfile(["aws", "session_policy", ...inPolicy], profile, config);
}

function placeInProfile(path: ConfigPath, profile: Profile, config: ConfigFile): ReturnType<PlaceOf> {
  const inherited = inherit(profile.name, config);
  const lineage = "lineage" in inherited ? inherited.lineage : [profile.name];
  const full = originOf(path, lineage, config);
  return { file: config.shown, ...locate(config.yaml, full), path: formatPath(full) };
}

/** JSON is YAML, so the same parser tells the positions in a policy's file. */
function filePlace(origin: string, runtime: Runtime): PlaceOf {
  const yaml = parseYaml(runtime.fs.readFileSync(path.resolve(runtime.cwd, origin), "utf8"));
  return (inPolicy) => ({ file: origin, ...locate(yaml, inPolicy), path: formatPath(inPolicy) });
}

/** A policy that several profiles share is told once. */
function withoutRepeats(findings: readonly LintFinding[]): readonly LintFinding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify(finding);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
