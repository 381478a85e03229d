import { ACTOR_KINDS } from "../core/profile.js";
import type { Runtime } from "../core/runtime.js";
import type { Values } from "./complete-kinds.js";
import { expandHome } from "./complete-words.js";

/** One word to offer, with what it means in a few words. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

interface ValueContext {
  /** As typed after `--config`. */
  readonly configPath?: string;
  readonly runtime: Runtime;
}

/**
 * The values that a place can have. Reads files and the environment at most: nothing is run, and no service is asked.
 * @throws {AgentctlError} what reading the configuration or the ledger does
 */
export async function listValues(values: Values, context: ValueContext): Promise<readonly Candidate[]> {
  if ("choices" in values) return values.choices.map(plain);
  switch (values.kind) {
    case "profile":
      return listProfileNames(context);
    case "lease":
      return listLeaseIds(context);
    case "source":
      return listSources(context);
    case "login":
      return listLoginNames(context);
    case "actor":
      return ACTOR_KINDS.map(plain);
    case "variable":
      return Object.keys(context.runtime.env).sort().map(plain);
    default:
      return [];
  }
}

/** A profile without a cloud is there to be extended, not to be used. */
async function listProfileNames({ configPath, runtime }: ValueContext): Promise<readonly Candidate[]> {
  const { listProfiles } = await import("../config/index.js");
  const selection = configPath === undefined ? {} : { configPath: expandHome(configPath, runtime.env["HOME"]) };
  return listProfiles(selection, runtime)
    .filter(({ clouds }) => clouds.length > 0)
    .map(({ name, clouds, description }) => ({ value: name, description: description ?? clouds.join(", ") }));
}

async function listLeaseIds({ runtime }: ValueContext): Promise<readonly Candidate[]> {
  const { listLeases } = await import("../lease/index.js");
  return listLeases(runtime).map((lease) => ({
    value: lease.id,
    description: lease.state === "unreadable" ? lease.state : `${lease.entry.profile}, ${lease.state}`,
  }));
}

async function listSources({ runtime }: ValueContext): Promise<readonly Candidate[]> {
  const { explainSources } = await import("../identity/index.js");
  const sources = explainSources(runtime).map(({ name, reason }) => ({ value: name, description: reason }));
  const logins = (await listLoginNames({ runtime })).map((login) => ({ ...login, value: `login:${login.value}` }));
  return [{ value: "auto", description: "the first that is found" }, ...sources, ...logins];
}

async function listLoginNames({ runtime }: ValueContext): Promise<readonly Candidate[]> {
  const { listLogins } = await import("../identity/index.js");
  return listLogins(runtime).map(({ name, issuer, subject }) => ({
    value: name,
    description: `${subject} at ${issuer}`,
  }));
}

function plain(value: string): Candidate {
  return { value, description: "" };
}
