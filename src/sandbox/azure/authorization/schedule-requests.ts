import { jsonAnswer } from "../../json-answer.js";
import type { ServiceAnswer } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { isGuid } from "../guid.js";
import { findPrincipal } from "../principals.js";
import { findRole } from "../roles.js";
import { assertScopeExists, isSameScope } from "../scope.js";
import type { AssignmentKey } from "./assignments.js";
import type { ScheduleBody } from "./body-schemas.js";
import type { AuthorizationCall } from "./call.js";
import { readScheduleFilter } from "./filter.js";
import { assertMayManage, assertMayRead } from "./pim-rights.js";
import { presentRequest } from "./present-request.js";
import { readScheduleBody } from "./request-body.js";
import { roleIdAt, splitRoleId } from "./role-definitions.js";
import { type Carried, carryOut } from "./schedule-changes.js";
import type { ScheduleRequest } from "./schedule-request.js";
import { selectAssigned } from "./select.js";

export function listScheduleRequests(call: AuthorizationCall): readonly unknown[] {
  const { target, caller, context } = call;
  const filter = readScheduleFilter(call.filter);
  assertMayRead(call, filter.isAsTarget || filter.isAsRequestor);
  assertScopeExists(target.scope, context.world);
  const own = caller.objectId.toLowerCase();
  const found = selectAssigned(context.scheduleRequests, target.scope, filter)
    .filter(({ principalId }) => !filter.isAsTarget || principalId === own)
    .filter(({ requestorId }) => !filter.isAsRequestor || requestorId === own);
  return found.map((request) => presentRequest(request, context));
}

/** Who asked and who was asked for may read it, and whoever may read role assignments there. */
export function getScheduleRequest(call: AuthorizationCall): ServiceAnswer {
  const { target, caller, context } = call;
  const found = context.scheduleRequests.find(
    ({ name, scope }) => name === target.name?.toLowerCase() && isSameScope(scope, target.scope),
  );
  const own = caller.objectId.toLowerCase();
  assertMayRead(call, found !== undefined && [found.requestorId, found.principalId].includes(own));
  if (found !== undefined) return jsonAnswer(presentRequest(found, context));
  throw new WireError(404, "RoleAssignmentScheduleRequestNotFound", "The role assignment request does not exist.");
}

export function putScheduleRequest(call: AuthorizationCall): ServiceAnswer {
  const { target, caller, context, note } = call;
  const name = target.name?.toLowerCase() ?? "";
  const body = readScheduleBody(call);
  const { roleId } = splitRoleId(body.roleDefinitionId);
  const key = { scope: target.scope, roleId, principalId: body.principalId.toLowerCase() };
  note({ parameters: { ...key, requestType: body.requestType } });
  assertMayManage(body.requestType === "AdminRemove" ? "delete" : "write", key, call);
  assertScopeExists(key.scope, context.world);
  assertFits(name, key, body, call);
  const carried: Carried = carryOut(key, body, name, call);
  const requestorId = caller.objectId.toLowerCase();
  const request: ScheduleRequest = { name, ...key, body, requestorId, createdAt: context.now("arm"), ...carried };
  context.scheduleRequests.push(request);
  return jsonAnswer(presentRequest(request, context), 201);
}

/** What does not depend on what is assigned. @throws {WireError} */
function assertFits(name: string, key: AssignmentKey, body: ScheduleBody, { context }: AuthorizationCall): void {
  if (!isGuid(name)) {
    throw new WireError(
      400,
      "InvalidRoleAssignmentRequest",
      "The role assignment request is invalid: its name is a GUID.",
    );
  }
  if (!isSameScope(body.roleDefinitionId, roleIdAt(key.scope, key.roleId))) {
    const text = "The scope of the request does not match the scope of the role definition.";
    throw new WireError(400, "ScopeDoesNotMatchRoleDefinition", text);
  }
  if (findRole(key.roleId) === undefined) throw new WireError(400, "RoleNotFound", "The role is not found.");
  if (findPrincipal(context.world, key.principalId) === undefined) {
    throw new WireError(400, "SubjectNotFound", "The subject is not found.");
  }
  if (context.scheduleRequests.some((request) => request.name === name)) {
    const text = `A role assignment request with Id: ${name} already exists.`;
    throw new WireError(409, "RoleAssignmentRequestExists", text);
  }
}
