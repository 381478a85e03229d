import { jsonAnswer } from "../../json-answer.js";
import type { ServiceAnswer } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { assertPermitted, judgeArmAccess } from "../arm-caller.js";
import { isGuid } from "../guid.js";
import { assertScopeExists, isSameScope } from "../scope.js";
import type { Assignment, AssignmentKey } from "./assignments.js";
import type { AuthorizationCall } from "./call.js";
import { readAssignmentFilter } from "./filter.js";
import { assertUnlocked } from "./locks.js";
import { assertPrincipal, readAssignmentBody, readCondition } from "./request-body.js";
import { requireRole, roleIdAt, splitRoleId } from "./role-definitions.js";
import { hasBegun, isProvisioned, selectAssigned } from "./select.js";

const ACTION = "Microsoft.Authorization/roleAssignments";

export function listAssignments({ target: { scope }, filter, caller, context }: AuthorizationCall): readonly unknown[] {
  assertPermitted(caller, { action: `${ACTION}/read`, resource: scope }, context);
  assertScopeExists(scope, context.world);
  const found = selectAssigned(context.assignments.current(), scope, readAssignmentFilter(filter));
  const time = context.now("arm");
  return found.filter((one) => hasBegun(one, time) && isProvisioned(one, time)).map(presentAssignment);
}

export function getAssignment({ target: { scope, name = "" }, caller, context }: AuthorizationCall): ServiceAnswer {
  assertPermitted(caller, { action: `${ACTION}/read`, resource: idOf(scope, name) }, context);
  const found = findByName({ scope, name }, context.assignments.current());
  if (found !== undefined) return jsonAnswer(presentAssignment(found));
  throw new WireError(404, "RoleAssignmentNotFound", `The role assignment '${name.replaceAll("-", "")}' is not found.`);
}

export function putAssignment(call: AuthorizationCall): ServiceAnswer {
  const { target, caller, context, note } = call;
  const { scope, name = "" } = target;
  if (!isGuid(name)) {
    const text = `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`;
    throw new WireError(400, "InvalidRoleAssignmentId", text);
  }
  const body = readAssignmentBody(call);
  const { roleId } = splitRoleId(body.roleDefinitionId);
  const key = { scope, roleId, principalId: body.principalId.toLowerCase() };
  note({ parameters: { ...key } });
  const attributes = attributesOf("Request", key);
  assertPermitted(caller, { action: `${ACTION}/write`, resource: idOf(scope, name), attributes }, context);
  assertScopeExists(scope, context.world);
  requireRole(roleId, 400);
  assertPrincipal(body, context.world);
  assertUnlocked("write", { scope, id: idOf(scope, name) }, context);
  const condition = readCondition(body);
  const described = { ...(condition && { condition }), ...(body.description && { description: body.description }) };
  return store({ name: name.toLowerCase(), ...key, ...described }, call);
}

type NewAssignment = AssignmentKey & Pick<Assignment, "name" | "condition" | "description">;

function store(wanted: NewAssignment, { caller, context }: AuthorizationCall): ServiceAnswer {
  const { assignments } = context;
  const now = context.now("arm");
  const named = assignments.current().find(({ name }) => name === wanted.name);
  const existing = assignments.find(wanted);
  if (named !== undefined && existing?.name !== named.name) {
    const text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.";
    throw new WireError(400, "RoleAssignmentUpdateNotPermitted", text);
  }
  if (existing !== undefined && named === undefined) {
    const text = `The role assignment already exists. The ID of the existing role assignment is ${existing.name.replaceAll("-", "")}.`;
    throw new WireError(409, "RoleAssignmentExists", text);
  }
  if (named !== undefined) {
    const updated = { ...named, ...wanted, updatedAt: now };
    assignments.replace(updated);
    return jsonAnswer(presentAssignment(updated), 200);
  }
  const added = { ...wanted, createdBy: caller.objectId, createdAt: now, updatedAt: now, startsAt: now };
  assignments.add(added);
  return jsonAnswer(presentAssignment(added), 201);
}

/** One that is not there is deleted already. */
export function deleteAssignment({ target, caller, context, note }: AuthorizationCall): ServiceAnswer {
  const { scope, name = "" } = target;
  const found = findByName({ scope, name }, context.assignments.current());
  const attributes = found && attributesOf("Resource", found);
  const access = { action: `${ACTION}/delete`, resource: idOf(scope, name), ...(attributes && { attributes }) };
  const isOpen = found === undefined && judgeArmAccess(caller, access, context) === "conditioned";
  if (!isOpen) assertPermitted(caller, access, context);
  if (found === undefined) return { status: 204 };
  assertUnlocked("delete", { scope, id: idOf(scope, name) }, context);
  note({ parameters: { scope, roleId: found.roleId, principalId: found.principalId } });
  context.assignments.end(found.name);
  return jsonAnswer(presentAssignment(found));
}

/** What a condition may ask of an assignment that is asked for, or of one that is there. */
export function attributesOf(source: "Request" | "Resource", key: AssignmentKey): Readonly<Record<string, string>> {
  return {
    [`${source}:${ACTION}:RoleDefinitionId`]: key.roleId,
    [`${source}:${ACTION}:PrincipalId`]: key.principalId,
    [`${source}:${ACTION}:PrincipalType`]: "ServicePrincipal",
  };
}

export function idOf(scope: string, name: string): string {
  return `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
}

function findByName(target: { scope: string; name: string }, all: readonly Assignment[]): Assignment | undefined {
  return all.find(({ scope, name }) => name === target.name.toLowerCase() && isSameScope(scope, target.scope));
}

function presentAssignment({ name, scope, roleId, principalId, ...rest }: Assignment): unknown {
  const by = rest.createdBy ?? null;
  return {
    properties: {
      roleDefinitionId: roleIdAt(scope, roleId),
      principalId,
      principalType: "ServicePrincipal",
      scope: scope === "" ? "/" : scope,
      condition: rest.condition ?? null,
      conditionVersion: rest.condition === undefined ? null : "2.0",
      createdOn: new Date(rest.createdAt).toISOString(),
      updatedOn: new Date(rest.updatedAt).toISOString(),
      createdBy: by,
      updatedBy: by,
      delegatedManagedIdentityResourceId: null,
      description: rest.description ?? null,
    },
    id: idOf(scope, name),
    type: "Microsoft.Authorization/roleAssignments",
    name,
  };
}
