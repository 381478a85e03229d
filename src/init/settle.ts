import { explainProfileName } from "../config/index.js";
import { AgentctlError } from "../core/errors.js";
import type { CloudName } from "../core/profile.js";
import type { CiName, Surroundings } from "./look-around.js";
import { explainValue, flagOf, VALUE_KINDS, type ValueKind, type Values } from "./values.js";

/** What `agentctl init` was asked for: all that was given as flags. */
export interface InitRequest {
  readonly clouds?: readonly CloudName[];
  readonly profileName?: string;
  /** By their keys. */
  readonly values: Values;
  readonly ci?: CiName | "none";
  /** Take what is found, and ask nothing. */
  readonly yes: boolean;
  /** Replace files that are there. */
  readonly force: boolean;
  /** Where the configuration goes instead of the repository's root. */
  readonly configPath?: string;
}

/** All that a first configuration is written from. */
export interface Settled {
  readonly clouds: readonly CloudName[];
  readonly profileName: string;
  readonly values: Values;
  readonly ci: CiName | "none";
}

export const DEFAULT_PROFILE = "deploy";

export function kindsOf(clouds: readonly CloudName[]): readonly ValueKind[] {
  return VALUE_KINDS.filter(({ cloud }) => clouds.includes(cloud));
}

/**
 * What the flags say, and with `yes` what was found besides.
 * @throws {AgentctlError} USAGE with every flag that is missing
 */
export function settleWithoutAsking(request: InitRequest, found: Surroundings): Settled {
  const known: Values = request.yes ? { ...found.values, ...request.values } : request.values;
  const clouds = request.clouds ?? (request.yes ? found.clouds : []);
  const needed = kindsOf(clouds).filter(({ required, key }) => required && known[key] === undefined);
  const missing = [...(clouds.length === 0 ? ["--cloud"] : []), ...needed.map(flagOf)];
  if (missing.length > 0) {
    const why = request.yes ? "not found on this machine" : "nobody can be asked, and these are missing";
    throw new AgentctlError("USAGE", `${why}: ${missing.join(", ")}`, {
      hint: request.yes
        ? "give them as flags (agentctl init --help)"
        : "give them as flags, or run it on a terminal; --yes takes what is found on this machine",
      facts: { missing },
    });
  }
  const values = Object.fromEntries(kindsOf(clouds).flatMap(({ key }) => (known[key] ? [[key, known[key]]] : [])));
  const ci = request.ci ?? found.ci ?? "none";
  return { clouds, profileName: request.profileName ?? DEFAULT_PROFILE, values, ci };
}

/**
 * Checks what came by flags before anything is asked or written.
 * @throws {AgentctlError} USAGE
 */
export function checkFlags({ profileName, values, clouds }: InitRequest): void {
  const badName = profileName === undefined ? undefined : explainProfileName(profileName);
  if (badName !== undefined) throw new AgentctlError("USAGE", `--profile: ${badName}`);
  for (const kind of VALUE_KINDS) {
    const value = values[kind.key];
    const wrong = value === undefined ? undefined : explainValue(kind, value);
    if (wrong !== undefined) {
      throw new AgentctlError("USAGE", `${flagOf(kind)}: ${wrong}`, { hint: `write it like ${kind.example}` });
    }
    if (value !== undefined && clouds !== undefined && !clouds.includes(kind.cloud)) {
      throw new AgentctlError("USAGE", `${flagOf(kind)} is of ${kind.cloud}, which --cloud does not name`, {
        hint: `--cloud ${[...clouds, kind.cloud].join(",")}`,
      });
    }
  }
}
