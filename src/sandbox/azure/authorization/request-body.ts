import type * as z from "zod/mini";
import { check } from "../../check.js";
import { WireError } from "../../wire-error.js";
import { findPrincipal } from "../principals.js";
import type { AzureWorld } from "../world.js";
import {
  type AssignmentBody,
  assignmentSchema,
  type LockBody,
  lockSchema,
  type ScheduleBody,
  scheduleSchema,
} from "./body-schemas.js";
import type { AuthorizationCall } from "./call.js";
import { parseCondition } from "./condition.js";

export function readAssignmentBody({ request }: AuthorizationCall): AssignmentBody {
  return readBody(assignmentSchema, request.body, "InvalidRequestContent").properties;
}

export function readScheduleBody({ request }: AuthorizationCall): ScheduleBody {
  return readBody(scheduleSchema, request.body, "InvalidRoleAssignmentRequest").properties;
}

export function readLockBody({ request }: AuthorizationCall): LockBody {
  return readBody(lockSchema, request.body, "InvalidRequestContent").properties;
}

function readBody<Schema extends z.core.$ZodType>(schema: Schema, body: Buffer, code: string): z.output<Schema> {
  const checked = check(schema, parse(body));
  if ("data" in checked) return checked.data;
  const { path, message } = checked.wrong;
  throw new WireError(400, code, `The request content was invalid: ${path || "the body"}: ${message}.`);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A condition that may be stored; an empty one is none. @throws {WireError} InvalidRoleAssignmentCondition */
export function readCondition({ condition, conditionVersion }: AssignmentBody | ScheduleBody): string | undefined {
  if (condition === undefined || condition === null || condition === "") return undefined;
  if (conditionVersion === "2.0" && parseCondition(condition) !== undefined) return condition;
  throw new WireError(400, "InvalidRoleAssignmentCondition", "The given role assignment condition is invalid.");
}

/** @throws {WireError} PrincipalNotFound, UnmatchedPrincipalType */
export function assertPrincipal({ principalId, principalType }: AssignmentBody, world: AzureWorld): void {
  if (findPrincipal(world, principalId) === undefined) {
    throw new WireError(
      400,
      "PrincipalNotFound",
      `Principal ${principalId.replaceAll("-", "")} does not exist in the directory ${world.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype`,
    );
  }
  if ([undefined, null, "ServicePrincipal"].includes(principalType)) return;
  // The spelling is Azure's.
  const text = `The PrincipalId '${principalId.replaceAll("-", "")}' has type 'ServicePrincipal' , which is different from specified PrinciaplType '${principalType}'.`;
  throw new WireError(400, "UnmatchedPrincipalType", text);
}
