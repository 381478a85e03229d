import { jsonAnswer } from "../../json-answer.js";
import { queryValue, type ServiceAnswer, type ServiceRequest, type TakeNotes } from "../../service.js";
import { WireError } from "../../wire-error.js";
import type { Caller } from "../arm-caller.js";
import type { AzureContext } from "../context.js";
import type { AuthorizationCall } from "./call.js";
import { deleteLock, listLocks, putLock } from "./locks.js";
import { listPermissions } from "./permissions.js";
import { deleteAssignment, getAssignment, listAssignments, putAssignment } from "./role-assignments.js";
import { getDefinition, listDefinitions } from "./role-definitions.js";
import { getScheduleRequest, listScheduleRequests, putScheduleRequest } from "./schedule-requests.js";
import { listScheduleInstances, listSchedules } from "./schedules.js";
import type { AuthorizationKind, AuthorizationTarget } from "./target.js";

const RBAC_VERSIONS = ["2015-07-01", "2018-07-01", "2022-04-01", "2022-05-01-preview"];
const LOCK_VERSIONS = ["2016-09-01", "2017-04-01", "2020-05-01"];
const PIM_VERSIONS = ["2020-10-01", "2020-10-01-preview", "2022-04-01-preview", "2024-09-01-preview"];
const VERSIONS: Readonly<Record<AuthorizationKind, readonly string[]>> = {
  roleDefinitions: RBAC_VERSIONS,
  roleAssignments: RBAC_VERSIONS,
  permissions: RBAC_VERSIONS,
  locks: LOCK_VERSIONS,
  roleAssignmentScheduleRequests: PIM_VERSIONS,
  roleAssignmentSchedules: PIM_VERSIONS,
  roleAssignmentScheduleInstances: PIM_VERSIONS,
};

const PIM_KINDS: ReadonlySet<AuthorizationKind> = new Set([
  "roleAssignmentScheduleRequests",
  "roleAssignmentSchedules",
  "roleAssignmentScheduleInstances",
] as const);

type Answerer = (call: AuthorizationCall) => ServiceAnswer;
const LISTS: Readonly<Record<AuthorizationKind, (call: AuthorizationCall) => readonly unknown[]>> = {
  roleDefinitions: listDefinitions,
  roleAssignments: listAssignments,
  roleAssignmentScheduleRequests: listScheduleRequests,
  roleAssignmentSchedules: listSchedules,
  roleAssignmentScheduleInstances: listScheduleInstances,
  permissions: listPermissions,
  locks: listLocks,
};
const SINGLES: Readonly<Record<string, Answerer>> = {
  "GET roleDefinitions": getDefinition,
  "GET roleAssignments": getAssignment,
  "PUT roleAssignments": putAssignment,
  "DELETE roleAssignments": deleteAssignment,
  "PUT locks": putLock,
  "DELETE locks": deleteLock,
  "GET roleAssignmentScheduleRequests": getScheduleRequest,
  "PUT roleAssignmentScheduleRequests": putScheduleRequest,
};

/** Microsoft.Authorization under any scope. @throws {WireError} */
export function answerAuthorization(
  request: ServiceRequest,
  target: AuthorizationTarget,
  caller: Caller,
  context: AzureContext,
  note: TakeNotes,
): ServiceAnswer {
  assertVersion(queryValue(request, "api-version") ?? "", target.kind);
  if (PIM_KINDS.has(target.kind)) assertLicence(context);
  const call = { request, target, caller, context, filter: queryValue(request, "$filter"), note };
  if (target.name === undefined) return jsonAnswer({ value: LISTS[target.kind](call) });
  const answer = SINGLES[`${request.method} ${target.kind}`];
  if (answer === undefined) throw new WireError(404, "NotFound", "No HTTP resource was found at this path.");
  return answer(call);
}

function assertLicence({ world: { hasPimLicence = true } }: AzureContext): void {
  if (hasPimLicence) return;
  const text = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.";
  throw new WireError(400, "AadPremiumLicenseRequired", text);
}

function assertVersion(version: string, kind: AuthorizationKind): void {
  const known = VERSIONS[kind];
  if (known.includes(version)) return;
  const text = `The api-version '${version}' is invalid. The supported versions are '${known.join(",")}'.`;
  throw new WireError(400, "InvalidApiVersionParameter", text);
}
