import { AgentctlError } from "../core/errors.js";
import type { CloudName, Profile } from "../core/profile.js";
import { CLOUD_NAMES } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { ConfigFile } from "./config-file.js";
import { type Configuration, openConfiguration } from "./configuration.js";
import { inherit } from "./extends.js";
import type { ConfigSelection } from "./find-config.js";
import { throwProblems } from "./problems.js";
import { resolveProfile } from "./resolve-profile.js";
import { suggest } from "./suggest.js";

export interface ProfileSelection extends ConfigSelection {
  readonly profileName?: string;
}

/** A profile as a listing shows it; its files are not read. */
export interface ProfileSummary {
  readonly name: string;
  readonly description?: string;
  /** Absolute. */
  readonly file: string;
  /** Empty for a profile that is there to be extended. */
  readonly clouds: readonly CloudName[];
}

/**
 * The profile of this name, resolved. No profile is ever assumed, not even the only one: what a command may do is
 * said by whoever runs it.
 * @throws {AgentctlError} USAGE without a name; PROFILE_UNKNOWN; CONFIG_NOT_FOUND, CONFIG_SYNTAX, CONFIG_INVALID,
 *   CONFIG_FORBIDDEN, POLICY_INVALID with `facts` of file, line, column and path
 */
export function loadProfile(selection: ProfileSelection, runtime: Runtime): Profile {
  const configuration = openConfiguration(selection, runtime);
  throwProblems(configuration.problems);
  const { name, config } = pickProfile(selection.profileName, configuration, runtime);
  const resolution = resolveProfile(name, config, configuration, runtime);
  if ("profile" in resolution) return resolution.profile;
  throwProblems(resolution.problems);
  throw new AgentctlError("CONFIG_INVALID", `profile ${name} cannot be resolved`);
}

/**
 * All profiles, the project's first, in the order of the files.
 * @throws {AgentctlError} like loadProfile, but for what is wrong with one profile's parents and files
 */
export function listProfiles(selection: ConfigSelection, runtime: Runtime): readonly ProfileSummary[] {
  const configuration = openConfiguration(selection, runtime);
  throwProblems(configuration.problems);
  return allProfiles(configuration).map(({ name, config }) => {
    const own = config.data.profiles?.[name];
    const inherited = inherit(name, config);
    const block = "block" in inherited ? inherited.block : own;
    return {
      name,
      ...(own?.description !== undefined && { description: own.description }),
      file: config.file,
      clouds: CLOUD_NAMES.filter((cloud) => block?.[cloud] !== undefined),
    };
  });
}

/** Those that `agentctl sandbox` brings. */
const SANDBOX_PROFILES = /^demo(?:-|$)/;
const SANDBOX_HINT =
  "the sandbox brings its own demo profiles only where it finds no other configuration: start it in a directory without an agentctl.yaml, and without AGENTCTL_CONFIG; ";

export interface NamedProfile {
  readonly name: string;
  readonly config: ConfigFile;
}

export function allProfiles({ project, user }: Pick<Configuration, "project" | "user">): readonly NamedProfile[] {
  return [project, user].flatMap((config) =>
    config === undefined ? [] : Object.keys(config.data.profiles ?? {}).map((name) => ({ name, config })),
  );
}

export function pickProfile(
  wanted: string | undefined,
  configuration: Configuration,
  { env }: Pick<Runtime, "env">,
): NamedProfile {
  const profiles = allProfiles(configuration);
  const names = profiles.map(({ name }) => name);
  if (wanted === undefined) {
    throw new AgentctlError("USAGE", "no profile was named", { hint: `name one with -p NAME: ${listNames(names)}` });
  }
  const picked = profiles.find(({ name }) => name === wanted);
  if (picked !== undefined) return picked;
  const near = suggest(wanted, names);
  const isOfSandbox = env["AGENTCTL_SANDBOX_CONTROL_URL"] !== undefined && SANDBOX_PROFILES.test(wanted);
  const guess = near === undefined ? "" : `did you mean ${near}? `;
  throw new AgentctlError("PROFILE_UNKNOWN", `there is no profile "${wanted}" in ${showPlaces(configuration)}`, {
    hint: `${isOfSandbox ? SANDBOX_HINT : guess}profiles: ${listNames(names)}`,
    facts: { profiles: names },
  });
}

/** A variable may have been set long ago, and another file be meant. */
function showPlaces({ files, foundBy }: Configuration): string {
  const [first = "", ...others] = files;
  return [foundBy === "AGENTCTL_CONFIG" ? `${first} (from AGENTCTL_CONFIG)` : first, ...others].join(" or ");
}

const MOST_NAMES_LISTED = 12;

function listNames(names: readonly string[]): string {
  if (names.length === 0) return "there are none yet";
  const more = names.length - MOST_NAMES_LISTED;
  return `${names.slice(0, MOST_NAMES_LISTED).join(", ")}${more > 0 ? ` and ${more} more (agentctl profile list)` : ""}`;
}
