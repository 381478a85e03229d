import path from "node:path";
import { tryParseDuration } from "../core/durations.js";
import { CLOUD_NAMES, type CloudName, type Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { BlockContext } from "./block-context.js";
import { resolveClouds } from "./cloud-blocks.js";
import { type ConfigFile, problemAt } from "./config-file.js";
import type { Configuration } from "./configuration.js";
import { inherit } from "./extends.js";
import { holds } from "./locate.js";
import type { ConfigPath, ConfigProblem } from "./problems.js";
import type { ProfileBlock } from "./schema.js";

const DEFAULT_TTL_SECONDS = 3600;
const DEFAULT_CREDENTIAL_TTL_SECONDS = 900;
const DEFAULT_GRACE_SECONDS = 30;

export type Resolution = { readonly profile: Profile } | { readonly problems: readonly ConfigProblem[] };

/** A profile with everything it inherits, the defaults put in and its files read; or what is wrong with it. */
export function resolveProfile(
  name: string,
  config: ConfigFile,
  configuration: Configuration,
  runtime: Runtime,
): Resolution {
  const inherited = inherit(name, config);
  if ("message" in inherited) {
    return { problems: [{ code: "CONFIG_INVALID", ...problemAt(config, inherited.path, inherited.message) }] };
  }
  const { block, lineage } = inherited;
  const problems: ConfigProblem[] = [];
  const contextOf = (cloud: CloudName): BlockContext => ({
    runtime,
    baseDir: path.dirname(config.file),
    report: (inBlock, message, { code = "CONFIG_INVALID", hint } = {}) => {
      const at = originOf([cloud, ...inBlock], lineage, config);
      problems.push({ code, ...problemAt(config, at, message), ...(hint !== undefined && { hint }) });
    },
  });
  const clouds = resolveClouds(block, contextOf);
  if (!namesCloud(block)) problems.push(withoutCloud(name, config));
  if (problems.length > 0) return { problems };
  return { profile: { name, file: config.file, ...settingsOf(block, configuration), clouds } };
}

/** A profile that names no cloud is there to be extended. */
export function namesCloud(block: ProfileBlock): boolean {
  return CLOUD_NAMES.some((cloud) => block[cloud] !== undefined);
}

function withoutCloud(name: string, config: ConfigFile): ConfigProblem {
  return {
    code: "CONFIG_INVALID",
    ...problemAt(config, ["profiles", name], "names no cloud, so it can only be extended", "key"),
    hint: `give it one of: ${CLOUD_NAMES.join(", ")}`,
  };
}

/** Where a value was written: in the profile itself, or in the nearest that it inherits it from. */
export function originOf(inProfile: ConfigPath, lineage: readonly string[], config: ConfigFile): ConfigPath {
  for (let length = inProfile.length; length > 0; length -= 1) {
    const part = inProfile.slice(0, length);
    const owner = lineage.find((ancestor) => holds(config.yaml, ["profiles", ancestor, ...part]));
    if (owner !== undefined) return ["profiles", owner, ...inProfile];
  }
  return ["profiles", lineage[0] ?? "", ...inProfile];
}

/**
 * The profile's own value, else the project's, else the user's, else ours. Two go the other way, since they are the
 * user's to say: what the audit log keeps, and the variables kept for every profile, which are added.
 */
function settingsOf(block: ProfileBlock, { project, user }: Configuration): Omit<Profile, "name" | "file" | "clouds"> {
  const defaults = { ...user?.data.defaults, ...project?.data.defaults };
  const own = user?.data;
  const mode = block.env?.mode;
  return {
    ...(block.description !== undefined && { description: block.description }),
    ttlSeconds: secondsOf(block.ttl ?? defaults.ttl) ?? DEFAULT_TTL_SECONDS,
    credentialTtlSeconds: secondsOf(block.credential_ttl ?? defaults.credential_ttl) ?? DEFAULT_CREDENTIAL_TTL_SECONDS,
    onExpiry: block.on_expiry ?? defaults.on_expiry ?? "warn",
    graceSeconds: secondsOf(block.grace ?? defaults.grace) ?? DEFAULT_GRACE_SECONDS,
    deliver: block.deliver ?? defaults.deliver ?? "auto",
    peerCheck: block.peer_check ?? defaults.peer_check ?? "auto",
    ...(block.actors !== undefined && { actors: block.actors }),
    ...(block.commands !== undefined && { commands: block.commands }),
    identitySource: (block.identity ?? project?.data.identity ?? own?.identity)?.source ?? "auto",
    env: {
      ...(mode !== undefined && { mode }),
      pass: [...new Set([...(block.env?.pass ?? []), ...(own?.env?.pass ?? [])])],
      set: { ...own?.env?.set, ...block.env?.set },
    },
    auditArgv: own?.audit?.argv ?? project?.data.audit?.argv ?? "first",
    auditSinks: own?.audit?.sinks ?? [],
  };
}

function secondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : tryParseDuration(text);
}
