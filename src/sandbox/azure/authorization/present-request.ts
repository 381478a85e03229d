import type { AzureContext } from "../context.js";
import { expandKey } from "./expanded.js";
import { roleIdAt } from "./role-definitions.js";
import type { ScheduleRequest } from "./schedule-request.js";
import { isProvisioned } from "./select.js";

export function presentRequest(request: ScheduleRequest, context: AzureContext): unknown {
  const { name, scope, roleId, principalId, body, startsAt } = request;
  const type = "Microsoft.Authorization/RoleAssignmentScheduleRequests";
  const { expiration = {} } = body.scheduleInfo ?? {};
  return {
    properties: {
      targetRoleAssignmentScheduleId: request.scheduleId,
      targetRoleAssignmentScheduleInstanceId: null,
      scope,
      roleDefinitionId: roleIdAt(scope, roleId),
      principalId,
      principalType: "ServicePrincipal",
      requestType: body.requestType,
      status: statusOf(request, context),
      approvalId: null,
      scheduleInfo:
        startsAt === undefined
          ? null
          : {
              startDateTime: new Date(startsAt).toISOString(),
              expiration: { endDateTime: null, duration: null, ...expiration },
            },
      ticketInfo: { ticketNumber: null, ticketSystem: null },
      justification: body.justification ?? null,
      requestorId: request.requestorId,
      createdOn: new Date(request.createdAt).toISOString(),
      condition: body.condition ?? null,
      conditionVersion: body.conditionVersion ?? null,
      expandedProperties: expandKey(request, context.world),
    },
    name,
    id: `${scope}/providers/${type}/${name}`,
    type,
  };
}

/** A request whose assignment was removed tells so, and one whose assignment is being made. */
function statusOf({ body, scheduleId, status }: ScheduleRequest, context: AzureContext): string {
  const { scheduleRequests, assignments, now } = context;
  const made = assignments.current().find(({ schedule }) => schedule?.id === scheduleId);
  if (made !== undefined && !isProvisioned(made, now("arm"))) return "PendingProvisioning";
  const isRemoved = scheduleRequests.some((other) => other.scheduleId === scheduleId && other.status === "Revoked");
  return isRemoved && body.requestType !== "AdminRemove" ? "Revoked" : status;
}
