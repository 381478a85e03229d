import { randomUUID } from "node:crypto";
import { WireError } from "../../wire-error.js";
import type { Assignment, AssignmentKey } from "./assignments.js";
import type { ScheduleBody } from "./body-schemas.js";
import type { AuthorizationCall } from "./call.js";
import { findLock } from "./locks.js";
import { readCondition } from "./request-body.js";
import { assertPolicy, policyFailure, readSchedule, tooShort } from "./schedule-info.js";
import type { ScheduleRequest } from "./schedule-request.js";
import { hasBegun, isProvisioned } from "./select.js";

/** What became of a request. */
export type Carried = Pick<ScheduleRequest, "status" | "scheduleId" | "startsAt">;

type Handler = (key: AssignmentKey, body: ScheduleBody, name: string, call: AuthorizationCall) => Carried;

const HANDLERS: Readonly<Record<string, Handler>> = {
  AdminAssign: assign,
  AdminRemove: remove,
  AdminUpdate: update,
  AdminExtend: update,
  // Nobody is eligible for anything here.
  SelfActivate: () => {
    throw policyFailure(["EligibilityRule"]);
  },
  SelfDeactivate: () => {
    throw doesNotExist();
  },
};

/** Does what a request asks for, or refuses it as Privileged Identity Management does. @throws {WireError} */
export function carryOut(key: AssignmentKey, body: ScheduleBody, name: string, call: AuthorizationCall): Carried {
  const handle = HANDLERS[body.requestType];
  if (handle !== undefined) return handle(key, body, name, call);
  const text = `The role assignment request is invalid: there is no '${body.requestType}' here.`;
  throw new WireError(400, "InvalidRoleAssignmentRequest", text);
}

function assign(key: AssignmentKey, body: ScheduleBody, requestName: string, call: AuthorizationCall): Carried {
  const { assignments, world, now } = call.context;
  const time = now("arm");
  const schedule = readSchedule(body, time);
  assertPolicy(body, schedule, world.pimPolicy);
  const condition = readCondition(body);
  // Of either level: what could not be removed is not assigned.
  if (findLock("delete", key.scope, call.context) !== undefined) {
    const text = "The resource is locked and cannot create role assignment requests.";
    throw new WireError(400, "ResourceIsLocked", text);
  }
  const existing = assignments.find(key);
  if (existing !== undefined && !isProvisioned(existing, time)) {
    const text = "There is already an existing pending Role assignment request.";
    throw new WireError(400, "PendingRoleAssignmentRequest", text);
  }
  if (existing !== undefined || assignments.isReleasing(key)) {
    throw new WireError(400, "RoleAssignmentExists", "The Role assignment already exists.");
  }
  const id = randomUUID();
  assignments.add({
    name: randomUUID(),
    ...key,
    ...(condition !== undefined && { condition }),
    ...schedule,
    createdBy: call.caller.objectId,
    createdAt: time,
    updatedAt: time,
    schedule: { id, requestName },
  });
  return { status: schedule.startsAt > time ? "Granted" : "Provisioned", scheduleId: id, startsAt: schedule.startsAt };
}

function update(key: AssignmentKey, body: ScheduleBody, _name: string, call: AuthorizationCall): Carried {
  const { assignments, world, now } = call.context;
  const existing = assignments.find(key);
  if (existing === undefined) throw doesNotExist();
  const schedule = readSchedule(body, now("arm"));
  assertPolicy(body, schedule, world.pimPolicy);
  const isBegun = hasBegun(existing, now("arm"));
  const startsAt = isBegun ? existing.startsAt : schedule.startsAt;
  const { endsAt: _, ...unbounded } = existing;
  assignments.replace({ ...unbounded, ...schedule, startsAt, updatedAt: now("arm") });
  return { status: isBegun ? "Provisioned" : "Granted", scheduleId: scheduleIdOf(existing), startsAt };
}

function remove(key: AssignmentKey, _body: ScheduleBody, _name: string, call: AuthorizationCall): Carried {
  const { assignments, now } = call.context;
  const existing = assignments.find(key);
  if (existing === undefined || !isProvisioned(existing, now("arm"))) throw doesNotExist();
  if (hasBegun(existing, now("arm")) && now("arm") - existing.startsAt < assignments.minimumAge()) throw tooShort();
  if (findLock("delete", key.scope, call.context) !== undefined) {
    return { status: "FailedAsResourceIsLocked", scheduleId: scheduleIdOf(existing) };
  }
  assignments.end(existing.name);
  return { status: "Revoked", scheduleId: scheduleIdOf(existing) };
}

/** What was assigned without Privileged Identity Management is known to it by the assignment's own name. */
export function scheduleIdOf({ name, schedule }: Assignment): string {
  return schedule?.id ?? name;
}

function doesNotExist(): WireError {
  return new WireError(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.");
}
