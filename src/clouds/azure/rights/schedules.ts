import { fieldOf, textOf } from "../../exchange/wire.js";
import { type Arm, senseless } from "./arm.js";
import { markOf, nameTarget, requestNameOf, type Subject, type Target, type Verb } from "./names.js";
import { SHORTEST_MS } from "./rights-settings.js";
import { isSameRole } from "./role-definitions.js";

/** Privileged Identity Management for Azure resources. */
const API = { "api-version": "2020-10-01" };
const REQUESTS = "providers/Microsoft.Authorization/roleAssignmentScheduleRequests";
const SCHEDULES = "providers/Microsoft.Authorization/roleAssignmentSchedules";

const MINUTE_MS = 60_000;
const CLOCK_MS = 1_000;
/** The others of the API's statuses are on their way to an assignment, or to its end. */
const FRUITLESS: readonly string[] = [
  "Denied",
  "AdminDenied",
  "Canceled",
  "Failed",
  "FailedAsResourceIsLocked",
  "Invalid",
  "TimedOut",
];
/** Azure has taken the request, and what comes of it is not known. */
const UNDER_WAY: readonly string[] = ["Accepted", "ProvisioningStarted"];
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** A request to assign a role for a time, as it is on record; times by Azure's clock. */
export interface ScheduleRequest {
  /** Such as `Provisioned` or `Revoked`. */
  readonly status: string;
  readonly principalId: string;
  readonly roleDefinitionId: string;
  readonly justification: string | undefined;
  readonly startsAt: number;
  /** The latest that it can end; absent where it cannot be told. */
  readonly endsAt?: number;
  /** The name of the schedule that came of it. */
  readonly scheduleId: string | undefined;
}

/** What is assigned now or for later, to one principal at one scope. */
export interface Schedule {
  readonly scheduleId: string;
  /** The whole resource id. */
  readonly roleDefinitionId: string;
  /** The name of the request that it came of; undefined where it came of none. */
  readonly requestName: string | undefined;
  /** By Azure's clock; absent: for ever. */
  readonly endsAt?: number;
}

/** What was asked for: until when, as it is written down at Azure, and what became of it so far. */
export interface Requested {
  readonly status: string;
  readonly mark: string;
}

/** Asks for the assignment, from now on until a time, in whole minutes rounded up. */
export async function requestAssignment(
  arm: Arm,
  subject: Subject,
  { now, endsAt }: { readonly now: number; readonly endsAt: number },
): Promise<Requested> {
  const { principalId, roleDefinitionId, leaseId } = subject;
  const lastsMs = Math.max(endsAt - now, SHORTEST_MS);
  const minutes = Math.ceil(lastsMs / MINUTE_MS);
  const startsAt = now + arm.clockAheadMs;
  const startDateTime = new Date(startsAt).toISOString();
  const mark = markOf(leaseId, roundUp(startsAt + minutes * MINUTE_MS));
  const expiration = { type: "AfterDuration", endDateTime: null, duration: `PT${minutes}M` };
  const answer = await putRequest(arm, subject, "give", {
    principalId,
    roleDefinitionId,
    requestType: "AdminAssign",
    justification: mark,
    scheduleInfo: { startDateTime, expiration },
  });
  return { status: statusIn(answer), mark };
}

/**
 * An end by Azure's clock (epoch ms) as the whole second in which it is over by this machine's: Azure's clock is known to
 * the second.
 */
export function endHere(arm: Pick<Arm, "clockAheadMs">, endsAt: number): number {
  return roundUp(endsAt - arm.clockAheadMs + CLOCK_MS);
}

function roundUp(epochMs: number): number {
  return Math.ceil(epochMs / 1000) * 1000;
}

/**
 * Asks for the end of the assignment that came of the lease's own request, and of no other. Answers the request's status.
 */
export async function requestRemoval(
  arm: Arm,
  subject: Subject,
  scheduleId: string | undefined,
  verb: Exclude<Verb, "give">,
): Promise<string> {
  const { principalId, roleDefinitionId, leaseId } = subject;
  const answer = await putRequest(arm, subject, verb, {
    principalId,
    roleDefinitionId,
    requestType: "AdminRemove",
    justification: `agentctl lease ${leaseId} ended`,
    ...(scheduleId !== undefined && { targetRoleAssignmentScheduleId: scheduleId }),
  });
  return statusIn(answer);
}

/** Whether nothing comes of a request with this status. */
export function isFruitless(status: string): boolean {
  return FRUITLESS.includes(status);
}

/** Whether it is still to be seen what comes of a request with this status. */
export function isUnderWay(status: string): boolean {
  return UNDER_WAY.includes(status) || status.startsWith("Pending");
}

/** The request by which the lease was given it, or by which it was taken back; undefined where there is none. */
export async function findRequest(arm: Arm, target: Target, verb: Verb): Promise<ScheduleRequest | undefined> {
  const path = `${target.scope}/${REQUESTS}/${requestNameOf(target, verb)}`;
  const found = await arm.find(path, API, `read the requests for ${nameTarget(target)}`);
  return found === undefined ? undefined : readRequest(fieldOf(found, "properties"));
}

/** The request of that name, whoever made it. */
export async function findRequestNamed(arm: Arm, scope: string, name: string): Promise<ScheduleRequest | undefined> {
  const found = await arm.find(`${scope}/${REQUESTS}/${name}`, API, `read the requests at ${scope}`);
  return found === undefined ? undefined : readRequest(fieldOf(found, "properties"));
}

/** What the principal has of that role at exactly that scope. */
export async function findSchedule(arm: Arm, subject: Subject): Promise<Schedule | undefined> {
  const all = await listSchedulesAt(arm, subject);
  return all.find(({ roleDefinitionId }) => isSameRole(roleDefinitionId, subject.roleDefinitionId));
}

/** What the principal has at exactly that scope, of any role. */
export async function listSchedulesAt(
  arm: Arm,
  { scope, principalId }: Pick<Subject, "scope" | "principalId">,
): Promise<readonly Schedule[]> {
  const all = await listSchedules(arm, scope, principalId);
  return all.filter((entry) => isOf(fieldOf(entry, "properties"), { scope, principalId })).map(readSchedule);
}

/** All that a principal has for a time at a scope, above it and below; a tenant without a licence for that refuses it. */
export function listSchedules(arm: Arm, scope: string, principalId: string): Promise<readonly unknown[]> {
  const query = { ...API, $filter: `principalId eq '${principalId}'` };
  return arm.list(`${scope}/${SCHEDULES}`, query, `read what is assigned at ${scope}`);
}

function isOf(properties: unknown, { scope, principalId }: Pick<Subject, "scope" | "principalId">): boolean {
  const isSame = (name: string, wanted: string) => textOf(properties, name)?.toLowerCase() === wanted.toLowerCase();
  return isSame("scope", scope) && isSame("principalId", principalId);
}

function readSchedule(entry: unknown): Schedule {
  const properties = fieldOf(entry, "properties");
  const endsAt = Date.parse(textOf(properties, "endDateTime") ?? "");
  return {
    scheduleId: textOf(entry, "name") ?? "",
    roleDefinitionId: textOf(properties, "roleDefinitionId") ?? "",
    requestName: textOf(properties, "roleAssignmentScheduleRequestId")?.split("/").at(-1)?.toLowerCase(),
    ...(!Number.isNaN(endsAt) && { endsAt }),
  };
}

function putRequest(arm: Arm, subject: Subject, verb: Verb, properties: object): Promise<unknown> {
  const path = `${subject.scope}/${REQUESTS}/${requestNameOf(subject, verb)}`;
  const whose = `application ${subject.clientId}`;
  const what =
    verb === "give" ? `assign ${nameTarget(subject)} to ${whose}` : `take ${nameTarget(subject)} from ${whose}`;
  return arm.put(path, API, { properties }, what);
}

function statusIn(answer: unknown): string {
  return textOf(fieldOf(answer, "properties"), "status") ?? senseless("a request");
}

function readRequest(properties: unknown): ScheduleRequest {
  const info = fieldOf(properties, "scheduleInfo");
  const createdAt = Date.parse(textOf(properties, "createdOn") ?? "");
  const written = Date.parse(textOf(info, "startDateTime") ?? "");
  const startsAt = Number.isNaN(written) ? createdAt : written;
  const expiration = fieldOf(info, "expiration");
  const end = Date.parse(textOf(expiration, "endDateTime") ?? "");
  // A start that is past may be counted from when Azure heard of it.
  const countedFrom = Number.isNaN(createdAt) ? startsAt : Math.max(startsAt, createdAt);
  const endsAt = Number.isNaN(end) ? countedFrom + readDuration(textOf(expiration, "duration") ?? "") : end;
  return {
    status: textOf(properties, "status") ?? senseless("a request"),
    principalId: textOf(properties, "principalId") ?? senseless("a request"),
    roleDefinitionId: textOf(properties, "roleDefinitionId") ?? senseless("a request"),
    justification: textOf(properties, "justification"),
    startsAt,
    ...(!Number.isNaN(endsAt) && { endsAt }),
    scheduleId: textOf(properties, "targetRoleAssignmentScheduleId"),
  };
}

/** Milliseconds of a duration such as `PT30M`; NaN for what is none. */
function readDuration(text: string): number {
  const match = DURATION.exec(text);
  if (match === null) return Number.NaN;
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = match;
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1000;
}
