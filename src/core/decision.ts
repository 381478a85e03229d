import type { Actor } from "./identity.js";

/** The command as it will be started: resolved on PATH before anything is issued. */
export interface ResolvedCommand {
  /** argv as the user wrote it. */
  readonly argv: readonly [string, ...string[]];
  /** The absolute path of the executable. */
  readonly path: string;
}

/** The answer to: may this identity use this profile, like this, now? A refusal is an AgentctlError instead. */
export interface Decision {
  readonly allowed: true;
  readonly actor: Actor;
  /** One line each, for the record: what was asked and why it was allowed. */
  readonly reasons: readonly string[];
}
