import path from "node:path";
import { AgentctlError } from "./errors.js";
import type { Runtime } from "./runtime.js";

/**
 * `$AGENTCTL_STATE_DIR`, else `$XDG_STATE_HOME/agentctl`, else `~/.local/state/agentctl`. Not created here.
 * @throws {AgentctlError} STATE_UNWRITABLE when there is no home directory to put it in
 */
export function stateDir(runtime: Pick<Runtime, "env" | "cwd">): string {
  const own = runtime.env["AGENTCTL_STATE_DIR"];
  if (own !== undefined && own !== "") return path.resolve(runtime.cwd, own);
  const base = xdgDir(runtime, "XDG_STATE_HOME", ".local/state");
  if (base !== undefined) return path.join(base, "agentctl");
  throw new AgentctlError("STATE_UNWRITABLE", "there is no place for the state: HOME is not set", {
    hint: "set HOME, or AGENTCTL_STATE_DIR to a directory of your own",
  });
}

/** `$XDG_CONFIG_HOME/agentctl/config.yaml`: the user's own settings. Undefined without a home directory. */
export function userConfigFile(runtime: Pick<Runtime, "env">): string | undefined {
  const base = xdgDir(runtime, "XDG_CONFIG_HOME", ".config");
  return base && path.join(base, "agentctl", "config.yaml");
}

/**
 * An XDG base directory; a relative value is to be ignored, says the XDG specification. Never below the working
 * directory: what lies there belongs to a project, and is not the user's own.
 */
function xdgDir({ env }: Pick<Runtime, "env">, variable: string, fallback: string): string | undefined {
  const { [variable]: value, HOME: home } = env;
  if (value !== undefined && path.isAbsolute(value)) return value;
  return home !== undefined && path.isAbsolute(home) ? path.join(home, fallback) : undefined;
}
