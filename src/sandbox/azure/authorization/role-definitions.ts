import { jsonAnswer } from "../../json-answer.js";
import type { ServiceAnswer } from "../../service.js";
import { WireError } from "../../wire-error.js";
import { assertPermitted } from "../arm-caller.js";
import { isGuid } from "../guid.js";
import { type BuiltInRole, builtInRoles, findRole } from "../roles.js";
import { assertScopeExists } from "../scope.js";
import type { AuthorizationCall } from "./call.js";
import { readRoleNameFilter } from "./filter.js";

const READ = "Microsoft.Authorization/roleDefinitions/read";
const ID = /^(.*)\/providers\/Microsoft\.Authorization\/roleDefinitions\/([^/]+)$/i;

export function listDefinitions({ target: { scope }, filter, caller, context }: AuthorizationCall): readonly unknown[] {
  assertPermitted(caller, { action: READ, resource: scope }, context);
  assertScopeExists(scope, context.world);
  const name = readRoleNameFilter(filter);
  const roles = builtInRoles().filter((role) => name === undefined || role.name.toLowerCase() === name);
  return roles.map((role) => presentRole(role, scope));
}

/** Everybody may read a built-in role by its id alone; under a scope it takes a right there. */
export function getDefinition({ target: { scope, name = "" }, caller, context }: AuthorizationCall): ServiceAnswer {
  if (scope !== "") assertPermitted(caller, { action: READ, resource: scope }, context);
  assertScopeExists(scope, context.world);
  return jsonAnswer(presentRole(requireRole(name, 404), scope));
}

/** @throws {WireError} RoleDefinitionDoesNotExist */
export function requireRole(id: string, status: 400 | 404): BuiltInRole {
  const role = findRole(id);
  if (role !== undefined) return role;
  const text = `The specified role definition with ID '${id.replaceAll("-", "")}' does not exist.`;
  throw new WireError(status, "RoleDefinitionDoesNotExist", text);
}

/**
 * The scope and the GUID of a role definition's id.
 * @throws {WireError} InvalidRoleDefinitionId
 */
export function splitRoleId(id: string): { readonly scope: string; readonly roleId: string } {
  const [, scope, roleId] = ID.exec(id) ?? [];
  if (scope !== undefined && roleId !== undefined && isGuid(roleId)) return { scope, roleId: roleId.toLowerCase() };
  throw new WireError(400, "InvalidRoleDefinitionId", `The role definition ID '${id}' is not valid.`);
}

/** A role's id at a scope: under its subscription, or the tenant's where it is in none. */
export function roleIdAt(scope: string, roleId: string): string {
  const [subscription = ""] = /^\/subscriptions\/[^/]+/i.exec(scope) ?? [];
  return `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${roleId}`;
}

function presentRole({ id, name, description, ...granted }: BuiltInRole, scope: string): unknown {
  return {
    properties: {
      roleName: name,
      type: "BuiltInRole",
      description,
      assignableScopes: ["/"],
      permissions: [{ ...granted, notDataActions: [] }],
      createdOn: "2015-02-02T21:55:09.8806423Z",
      updatedOn: "2021-11-11T20:13:37.9193893Z",
      createdBy: null,
      updatedBy: null,
    },
    id: roleIdAt(scope, id),
    type: "Microsoft.Authorization/roleDefinitions",
    name: id,
  };
}
