import { findRole } from "../roles.js";
import { isWithin } from "../scope.js";
import { matchesAction } from "./actions.js";
import type { Assignment } from "./assignments.js";
import { parseCondition } from "./condition.js";

export interface AzureAccess {
  readonly action: string;
  /** A data action is granted by data roles alone: a subscription's owner does not read its blobs. */
  readonly isDataAction: boolean;
  /** The resource id. */
  readonly resource: string;
  /** What conditions may ask about, such as `Request:Microsoft.Authorization/roleAssignments:RoleDefinitionId`. */
  readonly attributes?: Readonly<Record<string, string | undefined>>;
}

/** `conditioned`: a role grants the access, and the condition of its assignment does not hold. */
export type Verdict = "allowed" | "conditioned" | "denied";

/** Whether a role assigned at the resource or above it grants the access. */
export function judgeAccess(assignments: readonly Assignment[], access: AzureAccess): Verdict {
  const granting = assignments.filter((assignment) => isGranted(assignment, access));
  if (granting.length === 0) return "denied";
  return granting.some((assignment) => holds(assignment, access)) ? "allowed" : "conditioned";
}

function isGranted({ roleId, scope }: Assignment, { action, isDataAction, resource }: AzureAccess): boolean {
  const role = findRole(roleId);
  if (role === undefined || !isWithin(resource, scope)) return false;
  const granted = isDataAction ? role.dataActions : role.actions;
  const excepted = isDataAction ? [] : role.notActions;
  const isMatched = (pattern: string): boolean => matchesAction(action, pattern);
  return granted.some(isMatched) && !excepted.some(isMatched);
}

function holds({ condition }: Assignment, { action, attributes = {} }: AzureAccess): boolean {
  if (condition === undefined) return true;
  return parseCondition(condition)?.({ action, attributes }) ?? false;
}
