import type { Environment } from "../core/runtime.js";
import type { Detection, TokenRequest } from "./source.js";

/** The clouds that a variable may be meant for, as `AGENTCTL_ID_TOKEN_AWS`; all, so that none of them reaches the child. */
const CLOUD_SUFFIXES = ["AWS", "AZURE", "GCP"] as const;

/** `AGENTCTL_ID_TOKEN`, then the same with each cloud's suffix. */
export function listVariables(base: string): readonly string[] {
  return [base, ...CLOUD_SUFFIXES.map((suffix) => `${base}_${suffix}`)];
}

/**
 * The variables that may serve a request, the cloud's own before the general one. A request that no cloud
 * made may be served by any of them, since the token's `aud` decides in the end.
 */
export function listFittingVariables(base: string, request: TokenRequest): readonly string[] {
  if (request.clouds.length === 0) return listVariables(base);
  return [...request.clouds.map((cloud) => `${base}_${cloud.toUpperCase()}`), base];
}

/** Whether any of a source's variables is set; an empty one is what a CI makes of a missing secret. */
export function detectVariables(base: string, env: Environment): Detection {
  const variables = listVariables(base);
  const filled = variables.find((variable) => readVariable(env, variable) !== undefined);
  if (filled !== undefined) return { found: true, reason: `${filled} is set` };
  const empty = variables.find((variable) => env[variable] !== undefined);
  return { found: false, reason: empty === undefined ? `${base} is not set` : `${empty} is set but empty` };
}

/** The trimmed value of a variable, or undefined when it is unset or blank. */
export function readVariable(env: Environment, variable: string): string | undefined {
  const value = env[variable]?.trim();
  return value === "" ? undefined : value;
}
