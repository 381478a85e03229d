import path from "node:path";
import type { Decision, ResolvedCommand } from "../core/decision.js";
import { AgentctlError } from "../core/errors.js";
import type { Actor, Identity } from "../core/identity.js";
import type { ActorKind, Profile } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import { type CommandPattern, parseCommandPattern } from "./command-pattern.js";
import { matchCommand, matchProgram, type ProgramLookup } from "./match-command.js";

/** Who asks for what. */
export interface DecisionInput {
  readonly profile: Profile;
  readonly actor: Actor;
  readonly command: ResolvedCommand;
  readonly identity?: Pick<Identity, "source" | "issuer" | "subject">;
  /** Looks a program's name up on the PATH that the command was looked up on; undefined when it is not there. */
  readonly resolve: (name: string) => string | undefined;
}

/**
 * May this actor use this profile for this command? A profile without `actors` or `commands` permits any; an
 * empty list permits none. A guard against mistakes and misuse, not a sandbox: what a permitted
 * program does is not looked into.
 * @throws {AgentctlError} ACTOR_DENIED, COMMAND_DENIED; CONFIG_INVALID for a pattern that cannot be read
 */
export function decide(input: DecisionInput, runtime: Pick<Runtime, "fs">): Decision {
  const { profile, actor, identity } = input;
  const name = actor.name === undefined ? "" : ` "${actor.name}"`;
  const reasons = [`asked by ${withArticle(actor.kind)}${name} (${actor.reason})`];
  if (identity !== undefined) reasons.push(`identity ${identity.subject} of ${identity.issuer}, by ${identity.source}`);
  reasons.push(permitActor(profile, actor), permitCommand(input, runtime));
  return { allowed: true, actor, reasons };
}

/**
 * May this actor use this profile, whatever for? Answers the reason, a line for the record.
 * @throws {AgentctlError} ACTOR_DENIED
 */
export function permitActor(profile: Pick<Profile, "name" | "actors">, actor: Actor): string {
  const { actors, name } = profile;
  if (actors === undefined) return `profile ${name} is for every kind of actor`;
  const permitted = actors.length === 0 ? "nobody" : actors.join(", ");
  if (actors.includes(actor.kind)) return `profile ${name} is for ${permitted}`;
  throw new AgentctlError(
    "ACTOR_DENIED",
    `profile "${name}" is not for ${withArticle(actor.kind)}: it is for ${permitted}`,
    {
      // Says nothing of --actor: an agent is not to be told how to pass for somebody else.
      hint: `you were taken for ${withArticle(actor.kind)} (${actor.reason}); ask one of those it is for, or use another profile`,
      facts: { actor: actor.kind, actorReason: actor.reason, actorsPermitted: actors },
    },
  );
}

function permitCommand({ profile, command, resolve }: DecisionInput, { fs }: Pick<Runtime, "fs">): string {
  if (profile.commands === undefined) return `profile ${profile.name} permits any command`;
  const lookup: ProgramLookup = { resolve, baseDir: path.dirname(profile.file), fs };
  const patterns = profile.commands.map(parseCommandPattern);
  const fitting = patterns.find((pattern) => matchCommand(pattern, command, lookup));
  if (fitting !== undefined) return `${command.path} and its arguments fit the permitted "${fitting.text}"`;
  throw commandDenied(profile, command, patterns, lookup);
}

/** Names the program only: the arguments may hold secrets. */
function commandDenied(
  profile: Profile,
  command: ResolvedCommand,
  patterns: readonly CommandPattern[],
  lookup: ProgramLookup,
): AgentctlError {
  const isKnown = patterns.some((pattern) => matchProgram(pattern.program, command.path, lookup));
  const what = isKnown ? `${command.path} with these arguments` : command.path;
  const list = patterns.map((pattern) => `"${pattern.text}"`).join(", ");
  return new AgentctlError("COMMAND_DENIED", `profile "${profile.name}" does not permit ${what}`, {
    hint: list === "" ? "its list of commands is empty, so it permits none" : `it permits ${list}`,
    facts: { path: command.path, commandsPermitted: patterns.map((pattern) => pattern.text) },
  });
}

function withArticle(kind: ActorKind): string {
  return kind === "human" ? "a human" : kind === "agent" ? "an agent" : "automation";
}
