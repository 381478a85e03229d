import { AgentctlError } from "../core/errors.js";
import type { Actor } from "../core/identity.js";
import { ACTOR_KINDS, type ActorKind } from "../core/profile.js";
import type { Environment, Runtime } from "../core/runtime.js";
import { AGENT_MARKS, type AgentMark, CI_MARKS, DENIALS } from "./agent-marks.js";

/** Short and plain, since it goes into records and, later, session names. */
const ACTOR_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

/**
 * What kind of caller this is: as declared with `--actor KIND[:NAME]`, else by the marks that agent tools and CI
 * services leave in the environment, else a person where there is a terminal. The caller's word and
 * its environment are both in its own hands: this tells honest callers apart and holds nobody off.
 * @throws {AgentctlError} USAGE when what is declared is not an actor
 */
export function detectActor(
  declared: string | undefined,
  runtime: Pick<Runtime, "env" | "stdinIsTTY" | "stderr">,
): Actor {
  const mark = AGENT_MARKS.find((candidate) => isMarked(runtime.env, candidate));
  if (declared !== undefined) return readDeclared(declared, mark);
  if (mark !== undefined) return describeAgent(mark, runtime.env);
  const ci = CI_MARKS.find((variable) => saysYes(runtime.env[variable]));
  if (ci !== undefined) return { kind: "automation", reason: `${ci} is set` };
  if (runtime.stdinIsTTY) return { kind: "human", reason: "stdin is a terminal" };
  if (runtime.stderr.isTTY) return { kind: "human", reason: "stderr is a terminal" };
  return { kind: "automation", reason: "neither stdin nor stderr is a terminal" };
}

function readDeclared(declared: string, mark: AgentMark | undefined): Actor {
  const colon = declared.indexOf(":");
  const kind = colon < 0 ? declared : declared.slice(0, colon);
  const name = colon < 0 ? undefined : declared.slice(colon + 1);
  if (!isActorKind(kind)) throw badActor(`--actor takes ${ACTOR_KINDS.join(", ")}, optionally with a :name`);
  if (name !== undefined && !ACTOR_NAME.test(name)) {
    throw badActor("the name in --actor is 1 to 64 letters, digits and . _ @ + -, and begins with a letter or digit");
  }
  // A claim that the environment speaks against stands, and the record shows both.
  const reason = mark === undefined || kind === "agent" ? "" : `, though ${mark.variable} is set`;
  return { kind, ...(name === undefined ? {} : { name }), reason: `declared with --actor${reason}` };
}

function badActor(message: string): AgentctlError {
  return new AgentctlError("USAGE", message, { hint: "for example --actor human, or --actor agent:reviewer" });
}

function isActorKind(text: string): text is ActorKind {
  return (ACTOR_KINDS as readonly string[]).includes(text);
}

function describeAgent({ variable, agent }: AgentMark, env: Environment): Actor {
  const name = agent === "" ? (env[variable] ?? "") : agent;
  return { kind: "agent", ...(ACTOR_NAME.test(name) ? { name } : {}), reason: `${variable} is set` };
}

function isMarked(env: Environment, { variable, values }: AgentMark): boolean {
  const value = env[variable];
  return saysYes(value) && (values === undefined || values.includes(value?.toLowerCase() ?? ""));
}

function saysYes(value: string | undefined): boolean {
  return value !== undefined && !DENIALS.includes(value.trim().toLowerCase());
}
