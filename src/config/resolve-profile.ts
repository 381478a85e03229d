import path from "node:path";
import { tryParseDuration } from "../core/durations.js";
import { CLOUD_NAMES, type CloudName, type PeerCheck, type Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { BlockContext } from "./block-context.js";
import { resolveClouds } from "./cloud-blocks.js";
import { type ConfigFile, problemAt } from "./config-file.js";
import type { Configuration } from "./configuration.js";
import { inherit } from "./extends.js";
import { reportLastingRoles } from "./lasting-roles.js";
import { holds } from "./locate.js";
import type { ConfigPath, ConfigProblem } from "./problems.js";
import { isRequiredByUser, reportRevoke, revokeOf } from "./resolve-revoke.js";
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
  const profile = { name, file: config.file, ...settingsOf(block, configuration, config.owner), clouds };
  reportLastingRoles(clouds, contextOf);
  reportOpenMetadata(profile, contextOf("gcp"));
  reportRevoke(profile, isRequiredByUser(configuration, config.owner), contextOf);
  return problems.length > 0 ? { problems } : { profile };
}

/** Tools ask a metadata server without any secret, so that who asks is all that can be judged. */
function reportOpenMetadata({ clouds, peerCheck }: Pick<Profile, "clouds" | "peerCheck">, context: BlockContext): void {
  if (clouds.gcp?.metadata !== true || peerCheck === "require") return;
  context.report(["metadata"], `needs peer_check: require, and here it is ${peerCheck}`, {
    hint: "a metadata server asks for no secret; write peer_check: require beside gcp, or leave metadata out",
  });
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
 * The profile's own value, else the project's, else the user's, else ours. Some go the other way, since they are the
 * user's to say: what the audit log keeps, the variables kept for every profile, which are added, that the
 * endpoint's callers have to be told, and that grants are taken back.
 */
function settingsOf(
  block: ProfileBlock,
  configuration: Configuration,
  owner: ConfigFile["owner"],
): Omit<Profile, "name" | "file" | "clouds"> {
  const { project, user } = configuration;
  const defaults = { ...user?.data.defaults, ...project?.data.defaults };
  const own = user?.data;
  const mode = block.env?.mode;
  return {
    ...(block.description !== undefined && { description: block.description }),
    ttlSeconds: secondsOf(block.ttl ?? defaults.ttl) ?? DEFAULT_TTL_SECONDS,
    credentialTtlSeconds: secondsOf(block.credential_ttl ?? defaults.credential_ttl) ?? DEFAULT_CREDENTIAL_TTL_SECONDS,
    onExpiry: block.on_expiry ?? defaults.on_expiry ?? "warn",
    graceSeconds: secondsOf(block.grace ?? defaults.grace) ?? DEFAULT_GRACE_SECONDS,
    revoke: revokeOf(block.revoke, configuration, owner),
    deliver: block.deliver ?? defaults.deliver ?? "auto",
    peerCheck: peerCheckOf(block.peer_check, configuration, owner),
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

/** A project's file can make the user's own setting stricter, and not laxer. */
function peerCheckOf(
  written: PeerCheck | undefined,
  { project, user }: Configuration,
  owner: ConfigFile["owner"],
): PeerCheck {
  const own = user?.data.defaults?.peer_check;
  if (owner === "user") return written ?? own ?? "auto";
  const asked = written ?? project?.data.defaults?.peer_check;
  return own === "require" ? own : (asked ?? own ?? "auto");
}

function secondsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : tryParseDuration(text);
}
