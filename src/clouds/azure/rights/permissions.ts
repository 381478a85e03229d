import type { Arm } from "./arm.js";
import { isAction, isOnData, type PermissionSet, readSet } from "./permission-sets.js";
import type { Readiness } from "./rights-settings.js";

const API = { "api-version": "2022-04-01" };
/** What an application that has no role anywhere near is told instead of an empty list. */
export const HAS_NONE: readonly string[] = ["AuthorizationFailed", "InsufficientPermissions"];

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
