import type { ConfigFile } from "./config-file.js";
import type { ConfigPath } from "./problems.js";
import type { ProfileBlock } from "./schema.js";
import { didYouMean } from "./suggest.js";

type Block = Readonly<Record<string, unknown>>;

/** An IAM policy is one thing: half of one policy over half of another would be neither. */
const WHOLE_KEYS: ReadonlySet<string> = new Set(["session_policy"]);

/** What a description and a list of parents say is about one profile only. */
const OWN_KEYS: ReadonlySet<string> = new Set(["description", "extends"]);

export interface Inheritance {
  /** The profile with everything that it inherits. */
  readonly block: ProfileBlock;
  /** The profiles that a value may come from, the strongest first. */
  readonly lineage: readonly string[];
}

export interface InheritanceFault {
  readonly path: ConfigPath;
  readonly message: string;
}

/**
 * Merges a profile over those that it extends, in the same file: maps are merged, lists and values replaced, the
 * later parent over the earlier, the profile's own over both.
 */
export function inherit(name: string, config: ConfigFile): Inheritance | InheritanceFault {
  const profiles = config.data.profiles ?? {};
  const fault = findFault(name, profiles, []);
  if (fault !== undefined) return fault;
  const lineage = lineageOf(name, profiles);
  let merged: Block = {};
  for (const ancestor of [...lineage].reverse()) {
    const block: Block = profiles[ancestor] ?? {};
    merged = mergeBlocks(merged, ancestor === name ? block : withoutOwn(block));
  }
  return { block: merged as ProfileBlock, lineage };
}

/** The first unknown parent or cycle on the way up. */
function findFault(
  name: string,
  profiles: Readonly<Record<string, ProfileBlock>>,
  below: readonly string[],
  settled: Set<string> = new Set(),
): InheritanceFault | undefined {
  const parents = parentsOf(name, profiles);
  for (const [index, parent] of parents.entries()) {
    const written = profiles[name]?.extends;
    const path = ["profiles", name, "extends", ...(Array.isArray(written) ? [index] : [])];
    const chain = [...below, name];
    if (!Object.hasOwn(profiles, parent)) {
      return {
        path,
        message: `there is no profile "${parent}" in this file${didYouMean(parent, Object.keys(profiles))}`,
      };
    }
    if (chain.includes(parent)) {
      return { path, message: `the profiles extend each other in a circle: ${[...chain, parent].join(" → ")}` };
    }
    const fault = settled.has(parent) ? undefined : findFault(parent, profiles, chain, settled);
    if (fault !== undefined) return fault;
  }
  settled.add(name);
  return undefined;
}

/**
 * The profile, then its parents from the last to the first, each with its own before the next. A profile that is
 * reached twice counts where it is strongest, which a merge over itself would come to as well.
 */
function lineageOf(name: string, profiles: Readonly<Record<string, ProfileBlock>>): readonly string[] {
  const lineage = new Set<string>();
  const visit = (current: string): void => {
    if (lineage.has(current)) return;
    lineage.add(current);
    for (const parent of [...parentsOf(current, profiles)].reverse()) visit(parent);
  };
  visit(name);
  return [...lineage];
}

function parentsOf(name: string, profiles: Readonly<Record<string, ProfileBlock>>): readonly string[] {
  const parents = profiles[name]?.extends ?? [];
  return typeof parents === "string" ? [parents] : parents;
}

function mergeBlocks(base: Block, over: Block): Block {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isMap(value) && isMap(below) && !WHOLE_KEYS.has(key) ? mergeBlocks(below, value) : value;
  }
  return merged;
}

function withoutOwn(block: Block): Block {
  return Object.fromEntries(Object.entries(block).filter(([key]) => !OWN_KEYS.has(key)));
}

function isMap(value: unknown): value is Block {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
