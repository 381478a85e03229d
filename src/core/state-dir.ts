import path from "node:path";
import type { Runtime } from "./runtime.js";

/** `$AGENTCTL_STATE_DIR`, else `$XDG_STATE_HOME/agentctl`, else `~/.local/state/agentctl`. Not created here. */
export function stateDir(runtime: Pick<Runtime, "env" | "cwd">): string {
  const own = runtime.env["AGENTCTL_STATE_DIR"];
  if (own !== undefined && own !== "") return path.resolve(runtime.cwd, own);
  return path.join(xdgDir(runtime, "XDG_STATE_HOME", ".local/state"), "agentctl");
}

/** `$XDG_CONFIG_HOME/agentctl/config.yaml`: the user's own settings. */
export function userConfigFile(runtime: Pick<Runtime, "env" | "cwd">): string {
  return path.join(xdgDir(runtime, "XDG_CONFIG_HOME", ".config"), "agentctl", "config.yaml");
}

/** An XDG base directory; a relative value is to be ignored, says the XDG specification. */
function xdgDir(runtime: Pick<Runtime, "env" | "cwd">, variable: string, fallback: string): string {
  const value = runtime.env[variable];
  if (value !== undefined && path.isAbsolute(value)) return value;
  return path.join(runtime.env["HOME"] ?? runtime.cwd, fallback);
}
