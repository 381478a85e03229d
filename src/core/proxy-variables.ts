import { AgentctlError } from "./errors.js";
import type { Environment } from "./runtime.js";

const VARIABLES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] as const;

/** The names of the proxy variables that are set. Never their values: a proxy's URL often holds a password. */
export function setProxyVariables(env: Environment): readonly string[] {
  return VARIABLES.filter((name) => (env[name] ?? "") !== "");
}

/** agentctl takes no proxy, which whoever has set one may not expect: where a service was not reached, the hint says so. */
export function explainDirectness(error: AgentctlError, env: Environment): AgentctlError {
  const [variable] = setProxyVariables(env);
  if (error.code !== "UNREACHABLE" || variable === undefined) return error;
  const { code, message, hint, facts, cause } = error;
  const directly = `${variable} is set, but agentctl itself asks directly and not by a proxy: this machine needs a route of its own`;
  return new AgentctlError(code, message, {
    hint: hint === undefined ? directly : `${hint}; ${directly}`,
    facts,
    cause,
  });
}
