import { fieldOf } from "../../exchange/wire.js";
import type { Arm } from "./arm.js";
import type { Readiness, Rights } from "./rights-settings.js";
import { definitionPath } from "./role-definitions.js";

const API = { "api-version": "2022-04-01" };

/** What one assigned role grants: patterns such as `Microsoft.Storage/*`. */
interface PermissionSet {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
  readonly notDataActions: readonly string[];
}

/**
 * Those of the permissions that the caller has not at that scope, by Azure's own account; `onData` are those that are
 * known to be on data.
 */
export async function askMissing(
  arm: Arm,
  { permissions, at }: Readiness,
  onData: readonly string[] = [],
): Promise<readonly string[]> {
  const path = `${at}/providers/Microsoft.Authorization/permissions`;
  const sets = (await arm.list(path, API, `read its permissions at ${at}`)).map(readSet);
  const has = (permission: string, set: PermissionSet) =>
    isOnData(permission, set) || (!onData.includes(permission) && isAction(permission, set));
  return permissions.filter((permission) => !sets.some((set) => has(permission, set)));
}

/**
 * Those of the permissions that the assigned roles grant on data. By its name alone a permission is of either kind, and
 * Reader's pattern for reading anything is not one for what is in a blob.
 */
export async function findOnData(
  arm: Arm,
  { assignments, ready }: Rights,
  roleDefinitionIds: readonly string[],
): Promise<readonly string[]> {
  const definitions = await Promise.all(
    assignments.map(({ scope }, index) =>
      arm.get(definitionPath(scope, roleDefinitionIds[index] ?? ""), API, `read a role definition of ${scope}`),
    ),
  );
  const sets = definitions.flatMap((definition) => {
    const permissions = fieldOf(fieldOf(definition, "properties"), "permissions");
    return Array.isArray(permissions) ? permissions.map(readSet) : [];
  });
  return (ready?.permissions ?? []).filter((permission) => sets.some((set) => isOnData(permission, set)));
}

function isAction(permission: string, { actions, notActions }: PermissionSet): boolean {
  return isAmong(permission, actions) && !isAmong(permission, notActions);
}

function isOnData(permission: string, { dataActions, notDataActions }: PermissionSet): boolean {
  return isAmong(permission, dataActions) && !isAmong(permission, notDataActions);
}

function isAmong(permission: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(pattern, permission));
}

/** A star stands for anything, also for what has slashes in it. */
function matches(pattern: string, permission: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${escaped}$`, "i").test(permission);
}

function readSet(json: unknown): PermissionSet {
  const read = (name: string): readonly string[] => {
    const patterns = fieldOf(json, name);
    return Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === "string") : [];
  };
  return {
    actions: read("actions"),
    notActions: read("notActions"),
    dataActions: read("dataActions"),
    notDataActions: read("notDataActions"),
  };
}
