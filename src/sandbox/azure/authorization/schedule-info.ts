import { WireError } from "../../wire-error.js";
import { DEFAULT_PIM_POLICY, type PimPolicy } from "../world.js";
import type { ScheduleBody } from "./body-schemas.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** No assignment lasts less. */
const SHORTEST_MS = 5 * MINUTE_MS;

export interface Schedule {
  readonly startsAt: number;
  /** Absent: for ever. */
  readonly endsAt?: number;
}

/**
 * When an assignment that is asked for starts and ends.
 * @throws {WireError} InvalidRoleAssignmentRequestSchedule, ActiveDurationTooShort
 */
export function readSchedule({ scheduleInfo }: ScheduleBody, now: number): Schedule {
  const startDateTime = scheduleInfo?.startDateTime ?? undefined;
  const start = startDateTime === undefined ? now : Date.parse(startDateTime);
  const { type, duration, endDateTime } = scheduleInfo?.expiration ?? {};
  // What is past starts now, and ends when it would have ended.
  const startsAt = Math.max(start, now);
  const endsAt = type === "NoExpiration" || !type ? undefined : endOf(type, start, duration ?? "", endDateTime ?? "");
  if (Number.isNaN(start) || (endsAt !== undefined && !(endsAt > now))) {
    const text = "The role assignment request schedule is invalid.";
    throw new WireError(400, "InvalidRoleAssignmentRequestSchedule", text);
  }
  if (endsAt !== undefined && endsAt - startsAt < SHORTEST_MS - Math.max(now - start, 0)) throw tooShort();
  return { startsAt, ...(endsAt !== undefined && { endsAt }) };
}

/** The spelling is Azure's. */
export function tooShort(): WireError {
  const text = "The Active duration is too short. Miniumum Required is 5 minutes.";
  return new WireError(400, "ActiveDurationTooShort", text);
}

/** @throws {WireError} RoleAssignmentRequestPolicyValidationFailed, with the rules that failed */
export function assertPolicy(
  { justification }: ScheduleBody,
  { startsAt, endsAt }: Schedule,
  { requiresJustification, maxAssignmentDays }: PimPolicy = DEFAULT_PIM_POLICY,
): void {
  const isTooLong =
    maxAssignmentDays !== undefined && (endsAt ?? Number.POSITIVE_INFINITY) - startsAt > maxAssignmentDays * DAY_MS;
  const isUnjustified = requiresJustification && !justification;
  const failed = [...(isTooLong ? ["ExpirationRule"] : []), ...(isUnjustified ? ["JustificationRule"] : [])];
  if (failed.length > 0) throw policyFailure(failed);
}

export function policyFailure(rules: readonly string[]): WireError {
  const text = `The following policy rules failed: ${JSON.stringify(rules)}`;
  return new WireError(400, "RoleAssignmentRequestPolicyValidationFailed", text);
}

function endOf(type: string, start: number, duration: string, endDateTime: string): number {
  if (type === "AfterDateTime") return Date.parse(endDateTime);
  const lasts = type === "AfterDuration" ? readIsoDuration(duration) : undefined;
  return lasts === undefined ? Number.NaN : start + lasts;
}

/** Milliseconds of a duration such as `PT30M` or `P1D`. */
function readIsoDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null || text === "P" || text.endsWith("T")) return undefined;
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = match;
  return Number(days) * DAY_MS + (Number(hours) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1000;
}
