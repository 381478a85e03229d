import { AgentctlError } from "../../core/errors.js";

const SUFFIX = "/.default";
const RESOURCE = /^(?:(?:https|api):\/\/([^/?#\s]+)[^?#\s]*|([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))$/i;
const FIRST_VARIABLE = "AZURE_ACCESS_TOKEN";

/** A scope of the profile, and the variable that its token goes into. */
export interface ScopedToken {
  readonly scope: string;
  readonly variable: string;
}

/**
 * Which token goes into which variable: the first scope's into AZURE_ACCESS_TOKEN, each other's into one that
 * ends in its resource's host, such as AZURE_ACCESS_TOKEN_VAULT_AZURE_NET.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function readScopes(scopes: readonly string[]): readonly ScopedToken[] {
  const tokens = scopes.map((scope, index) => {
    const host = readHost(scope);
    return { scope, variable: index === 0 ? FIRST_VARIABLE : `${FIRST_VARIABLE}_${toVariable(host)}` };
  });
  tokens.forEach(({ scope, variable }, index) => {
    const same = tokens.findIndex((other) => other.variable === variable || other.scope === scope);
    if (same !== index) {
      throw invalid(
        `azure.scopes names ${scope} beside ${tokens[same]?.scope}, and the child could not tell them apart`,
      );
    }
  });
  if (tokens.length === 0) throw invalid("azure.scopes is empty");
  return tokens;
}

/** The host of the resource; of one that is named by its application id, that id. */
function readHost(scope: string): string {
  if (/\s/.test(scope)) {
    throw invalid(
      "a scope in azure.scopes has a space in it: a token is for one resource, so each is a scope of its own",
    );
  }
  const resource = scope.endsWith(SUFFIX) ? scope.slice(0, -SUFFIX.length) : "";
  const match = RESOURCE.exec(resource);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw invalid("a scope in azure.scopes is not a resource and /.default");
  return host;
}

function toVariable(host: string): string {
  return host.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}

function invalid(message: string): AgentctlError {
  return new AgentctlError("CONFIG_INVALID", message, {
    hint: "write scopes like https://management.azure.com/.default, one a resource",
  });
}
