import { findRole } from "../roles.js";
import { assertScopeExists, isWithin } from "../scope.js";
import type { AuthorizationCall } from "./call.js";

/** What the caller's own roles grant at a scope, as far as Resource Manager has learned of them. */
export function listPermissions({ target: { scope }, caller, context }: AuthorizationCall): readonly unknown[] {
  assertScopeExists(scope, context.world);
  const own = context.assignments.seenBy("arm", caller.objectId);
  return own.flatMap((assignment) => {
    const role = findRole(assignment.roleId);
    if (role === undefined || !isWithin(scope, assignment.scope)) return [];
    const { actions, notActions, dataActions } = role;
    return [{ actions, notActions, dataActions, notDataActions: [] }];
  });
}
