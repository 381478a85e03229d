import type { EnvMode } from "../core/profile.js";
import type { Environment } from "../core/runtime.js";
import { isCredentialVariable, isMintingVariable, isStrictVariable } from "../core/sensitive-variables.js";

export interface CleaningRules {
  /** `cloud` takes out what a cloud tool could be somebody by; `strict` lets through a short list. */
  readonly mode: EnvMode;
  /** Names that stay whatever the mode says, spelled exactly. */
  readonly pass: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  /** Further names to take out, such as the token variables that were used. */
  readonly alsoRemove: readonly string[];
}

export interface CleanedEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** The names taken out, sorted. */
  readonly removed: readonly string[];
}

/** Takes out of the caller's environment what the child must not inherit, and adds what the profile sets. */
export function cleanEnvironment(parent: Environment, rules: CleaningRules): CleanedEnvironment {
  const passed = new Set(rules.pass);
  const named = new Set(rules.alsoRemove);
  const tokens = callerTokens(parent, named);
  const kept: [string, string][] = [];
  const removed: string[] = [];
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined) continue;
    const isSafe = isInherited(name, rules.mode) && !named.has(name) && !tokens.has(value);
    if (isSafe || passed.has(name)) kept.push([name, value]);
    else removed.push(name);
  }
  return { env: Object.fromEntries([...kept, ...Object.entries(rules.set)]), removed: removed.sort() };
}

function isInherited(name: string, mode: EnvMode): boolean {
  if (isCredentialVariable(name) || isMintingVariable(name)) return false;
  return mode === "cloud" || isStrictVariable(name);
}

/**
 * The caller's ID tokens by value: GitLab lets a job name them as it likes, so that AGENTCTL_ID_TOKEN
 * is often a copy of a variable that no list can know.
 */
function callerTokens(parent: Environment, named: ReadonlySet<string>): ReadonlySet<string> {
  const tokens = new Set<string>();
  for (const [name, value] of Object.entries(parent)) {
    if (value !== undefined && isJwtShaped(value) && (named.has(name) || isMintingVariable(name))) tokens.add(value);
  }
  return tokens;
}

function isJwtShaped(value: string): boolean {
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/.test(value);
}
