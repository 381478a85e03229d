import type { AzureContext } from "../context.js";
import { assertScopeExists, isSameScope } from "../scope.js";
import type { Assignment } from "./assignments.js";
import type { AuthorizationCall } from "./call.js";
import { expandKey } from "./expanded.js";
import { readScheduleFilter } from "./filter.js";
import { assertMayRead } from "./pim-rights.js";
import { idOf } from "./role-assignments.js";
import { roleIdAt } from "./role-definitions.js";
import { scheduleIdOf } from "./schedule-changes.js";
import { hasBegun, isProvisioned, selectAssigned } from "./select.js";

const SCHEDULES = "Microsoft.Authorization/RoleAssignmentSchedules";
const INSTANCES = "Microsoft.Authorization/RoleAssignmentScheduleInstances";
const REQUESTS = "Microsoft.Authorization/RoleAssignmentScheduleRequests";

/** Those for later too. */
export function listSchedules(call: AuthorizationCall): readonly unknown[] {
  const { scope: asked } = call.target;
  return listAssigned(call).map((assignment) => {
    const { scope, schedule, updatedAt } = assignment;
    const name = scheduleIdOf(assignment);
    const properties = {
      ...describe(assignment, asked, call.context),
      status: "Provisioned",
      roleAssignmentScheduleRequestId:
        schedule === undefined ? null : `${scope}/providers/${REQUESTS}/${schedule.requestName}`,
      updatedOn: new Date(updatedAt).toISOString(),
    };
    return { properties, name, id: `${scope}/providers/${SCHEDULES}/${name}`, type: SCHEDULES };
  });
}

/** Those that have begun. */
export function listScheduleInstances(call: AuthorizationCall): readonly unknown[] {
  const begun = listAssigned(call).filter((assignment) => hasBegun(assignment, call.context.now("arm")));
  return begun.map((assignment) => {
    const { scope, name } = assignment;
    const properties = {
      ...describe(assignment, call.target.scope, call.context),
      status: "Provisioned",
      originRoleAssignmentId: idOf(scope, name),
      roleAssignmentScheduleId: `${scope}/providers/${SCHEDULES}/${scheduleIdOf(assignment)}`,
    };
    return { properties, name, id: `${scope}/providers/${INSTANCES}/${name}`, type: INSTANCES };
  });
}

function listAssigned(call: AuthorizationCall): readonly Assignment[] {
  const { target, caller, context } = call;
  const filter = readScheduleFilter(call.filter);
  assertMayRead(call, filter.isAsTarget);
  assertScopeExists(target.scope, context.world);
  const own = caller.objectId.toLowerCase();
  const made = context.assignments.current().filter((one) => isProvisioned(one, context.now("arm")));
  const found = selectAssigned(made, target.scope, filter);
  return found.filter(({ principalId }) => !filter.isAsTarget || principalId === own);
}

function describe(assignment: Assignment, askedScope: string, { world }: AzureContext): Record<string, unknown> {
  const { scope, roleId, principalId, startsAt, endsAt, createdAt, condition } = assignment;
  return {
    linkedRoleEligibilityScheduleId: null,
    assignmentType: "Assigned",
    scope,
    roleDefinitionId: roleIdAt(scope, roleId),
    principalId,
    principalType: "ServicePrincipal",
    startDateTime: new Date(startsAt).toISOString(),
    endDateTime: endsAt === undefined ? null : new Date(endsAt).toISOString(),
    memberType: isSameScope(scope, askedScope) ? "Direct" : "Inherited",
    createdOn: new Date(createdAt).toISOString(),
    condition: condition ?? null,
    conditionVersion: condition === undefined ? null : "2.0",
    expandedProperties: expandKey(assignment, world),
  };
}
