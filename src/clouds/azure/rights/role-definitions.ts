import { AgentctlError } from "../../../core/errors.js";
import { textOf } from "../../exchange/wire.js";
import type { Arm } from "./arm.js";

const ID = /^(?:\/[^?#]*\/roleDefinitions\/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const DEFINITIONS = "providers/Microsoft.Authorization/roleDefinitions";
const API = { "api-version": "2022-04-01" };

/**
 * The resource id of a role's definition, as assignments at the scope have it: of an id by itself, of a name by asking.
 * @throws {AgentctlError} CONFIG_INVALID, and as `Arm` does
 */
export async function resolveRole(
  arm: Arm,
  { role, scope }: { readonly role: string; readonly scope: string },
): Promise<string> {
  const id = ID.exec(role)?.[1];
  if (id !== undefined) return roleIdAt(scope, id);
  const filter = `roleName eq '${role.replaceAll("'", "''")}'`;
  const path = `${scope}/${DEFINITIONS}`;
  const found = await arm.list(path, { ...API, $filter: filter }, `read the role definitions of ${scope}`);
  const names = [...new Set(found.map((entry) => textOf(entry, "name")).filter((name) => name !== undefined))];
  const [name, ...others] = names;
  if (name !== undefined && others.length === 0) return roleIdAt(scope, name);
  const problem = name === undefined ? "no role" : `${names.length} roles`;
  throw new AgentctlError("CONFIG_INVALID", `${problem} at ${scope} called ${role}`, {
    hint: "check the role in azure.assignments, or write the id of its definition",
    facts: { role, scope },
  });
}

/** By its last part, which is the same everywhere: one definition has a resource id for each place that it is seen from. */
export function isSameRole(one: string, other: string): boolean {
  return lastPart(one) === lastPart(other);
}

/** Where a definition is read by who has rights at the scope alone. */
export function definitionPath(scope: string, id: string): string {
  return `${scope}/${DEFINITIONS}/${lastPart(id)}`;
}

/** Under the scope's subscription, or the tenant's where it is in none. */
function roleIdAt(scope: string, id: string): string {
  const [subscription = ""] = /^\/subscriptions\/[^/]+/i.exec(scope) ?? [];
  return `${subscription}/${DEFINITIONS}/${id}`;
}

function lastPart(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1).toLowerCase();
}
