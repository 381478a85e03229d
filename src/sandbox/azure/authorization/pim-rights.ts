import { WireError } from "../../wire-error.js";
import { judgeArmAccess } from "../arm-caller.js";
import type { AssignmentKey } from "./assignments.js";
import type { AuthorizationCall } from "./call.js";
import { attributesOf } from "./role-assignments.js";

const ACTION = "Microsoft.Authorization/roleAssignments";

/**
 * Privileged Identity Management judges by the rights on role assignments, and refuses in its own way.
 * @throws {WireError} InsufficientPermissions
 */
export function assertMayManage(verb: "write" | "delete", key: AssignmentKey, call: AuthorizationCall): void {
  const attributes = attributesOf(verb === "write" ? "Request" : "Resource", key);
  const access = { action: `${ACTION}/${verb}`, resource: key.scope, attributes };
  assertAllowed(judgeArmAccess(call.caller, access, call.context) === "allowed", call);
}

/** @throws {WireError} InsufficientPermissions */
export function assertMayRead({ target, caller, context }: AuthorizationCall, isOwn: boolean): void {
  const access = { action: `${ACTION}/read`, resource: target.scope };
  assertAllowed(isOwn || judgeArmAccess(caller, access, context) === "allowed", { caller });
}

function assertAllowed(isAllowed: boolean, { caller }: Pick<AuthorizationCall, "caller">): void {
  if (isAllowed) return;
  const text = `The requestor ${caller.objectId} does not have permissions for this request. Please use $filter=asTarget() to filter on the requestor's assignments.`;
  throw new WireError(400, "InsufficientPermissions", text);
}
