import type { AssignmentKey } from "./assignments.js";
import type { ScheduleBody } from "./body-schemas.js";

/** What somebody asked of Privileged Identity Management, which keeps it. */
export interface ScheduleRequest extends AssignmentKey {
  /** A GUID. */
  readonly name: string;
  readonly body: ScheduleBody;
  readonly status: "Provisioned" | "Granted" | "Revoked" | "FailedAsResourceIsLocked";
  /** The schedule that was made, changed or ended. */
  readonly scheduleId: string;
  /** An object id. */
  readonly requestorId: string;
  readonly createdAt: number;
  /** Absent where it made no schedule. */
  readonly startsAt?: number;
}
