import { fieldOf } from "../../exchange/wire.js";
import type { Arm } from "./arm.js";
import type { Readiness } from "./rights-settings.js";

const API = { "api-version": "2022-04-01" };

/** What one assigned role grants: patterns such as `Microsoft.Storage/*`. */
interface PermissionSet {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly dataActions: readonly string[];
  readonly notDataActions: readonly string[];
}

/** Those of the permissions that the caller has not at that scope, by Azure's own account. */
export async function askMissing(arm: Arm, { permissions, at }: Readiness): Promise<readonly string[]> {
  const path = `${at}/providers/Microsoft.Authorization/permissions`;
  const sets = (await arm.list(path, API, `read its permissions at ${at}`)).map(readSet);
  return permissions.filter((permission) => !sets.some((set) => isGranted(permission, set)));
}

/** Of a permission's name it does not show whether it is one on data. */
function isGranted(permission: string, set: PermissionSet): boolean {
  const isAmong = (patterns: readonly string[]) => patterns.some((pattern) => matches(pattern, permission));
  const isAction = isAmong(set.actions) && !isAmong(set.notActions);
  return isAction || (isAmong(set.dataActions) && !isAmong(set.notDataActions));
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
