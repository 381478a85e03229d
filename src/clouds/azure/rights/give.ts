import { AgentctlError } from "../../../core/errors.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { markOf, nameTarget, readMark, requestNameOf, type Subject, type Target } from "./names.js";
import { assignPlainly, deletePlain, findPlainOf, type PlainAssignment } from "./plain-assignments.js";
import { endHere, findRequest, findRequestNamed, findSchedule, isFruitless, requestAssignment } from "./schedules.js";

/** There is one of that principal, role and scope already, or there is being one made. */
const EXISTS: readonly string[] = ["RoleAssignmentExists", "PendingRoleAssignmentRequest"];
/** There is a request of this name already: the same, tried before. */
const REPEATED: readonly string[] = ["RoleAssignmentRequestExists", "RoleAssignmentScheduleRequestExists"];
/** The tenant has no licence for time-bound assignments. */
export const UNLICENSED = "AadPremiumLicenseRequired";
/** Whoever was given it plainly and has had this long since its end is not coming back for it. */
export const STALE_MS = 5 * 60_000;

/** Who has the same principal, role and scope. */
export interface Holder {
  /** Absent where it is no lease's, or that cannot be told. */
  readonly leaseId?: string;
  /** By this machine's clock; absent where it does not end by itself, or that cannot be told. */
  readonly endsAt?: number;
  /** When it is taken back: its lease is over, and this machine's ledger says so. */
  readonly freedAt?: number;
  /** It is nobody's lease, and does not end. */
  readonly isLasting: boolean;
}

/** With what is written down at Azure, as far as this process wrote it. */
export type Given =
  | { readonly kind: "time-bound" | "plain"; readonly mark?: string }
  | { readonly kind: "busy"; readonly holder: Holder };

/**
 * Assigns one role on one scope until a time, unless somebody has the same: Azure makes one of each, so that of all who
 * ask at once one is given it. Asked a second time, it is given what it was given.
 * @throws {AgentctlError} as `Arm` does
 */
export async function give(
  arm: Arm,
  subject: Subject,
  { endsAt, allowUnbounded }: { readonly endsAt: number; readonly allowUnbounded: boolean },
  runtime: Pick<Runtime, "now">,
): Promise<Given> {
  // The time that an assignment begins at is by Azure's clock.
  if (!arm.isClockKnown) await findRequest(arm, subject, "give");
  try {
    const { status, mark } = await requestAssignment(arm, subject, { now: runtime.now(), endsAt });
    assertFruitful(subject, status);
    return { kind: "time-bound", mark };
  } catch (error) {
    const code = azureCodeOf(error) ?? "";
    if (REPEATED.includes(code)) {
      assertFruitful(subject, (await findRequest(arm, subject, "give"))?.status ?? "");
      return { kind: "time-bound" };
    }
    if (EXISTS.includes(code)) return busyOrOurs(arm, subject);
    if (code === UNLICENSED && allowUnbounded) return givePlainly(arm, subject, endsAt, runtime);
    throw error;
  }
}

async function busyOrOurs(arm: Arm, subject: Subject): Promise<Given> {
  const schedule = await findSchedule(arm, subject);
  // It is on its way in, or on its way out.
  if (schedule === undefined) return { kind: "busy", holder: { isLasting: false } };
  const { requestName, endsAt } = schedule;
  if (requestName === requestNameOf(subject, "give")) return { kind: "time-bound" };
  const request = requestName === undefined ? undefined : await findRequestNamed(arm, subject.scope, requestName);
  const leaseId = readMark(request?.justification)?.leaseId;
  return {
    kind: "busy",
    holder: {
      ...(leaseId !== undefined && { leaseId }),
      ...(endsAt !== undefined && { endsAt: endHere(arm, endsAt) }),
      isLasting: leaseId === undefined && endsAt === undefined,
    },
  };
}

async function givePlainly(arm: Arm, subject: Subject, endsAt: number, runtime: Pick<Runtime, "now">): Promise<Given> {
  const assign = async (): Promise<PlainAssignment | "given" | undefined> => {
    try {
      await assignPlainly(arm, subject, endsAt);
      return "given";
    } catch (error) {
      if (!EXISTS.includes(azureCodeOf(error) ?? "")) throw error;
      const found = await findPlainOf(arm, subject);
      return found?.name === requestNameOf(subject, "give") ? "given" : found;
    }
  };
  let found = await assign();
  if (typeof found === "object" && isStale(found, subject, runtime.now())) {
    await deletePlain(arm, found);
    found = await assign();
  }
  if (found === "given") return { kind: "plain", mark: markOf(subject.leaseId, endsAt) };
  return { kind: "busy", holder: { ...found?.mark, isLasting: found !== undefined && found.mark === undefined } };
}

/**
 * Whether a lease left it behind: nobody else would take it away. Its name tells that it was made for that lease; what it
 * is described as, anybody can write.
 */
export function isStale(
  { mark, name }: Pick<PlainAssignment, "mark" | "name">,
  given: Omit<Target, "leaseId">,
  now: number,
): boolean {
  if (mark === undefined || mark.endsAt + STALE_MS >= now) return false;
  return name === requestNameOf({ ...given, leaseId: mark.leaseId }, "give");
}

function assertFruitful(subject: Subject, status: string): void {
  if (!isFruitless(status) && status !== "Revoked") return;
  const message = `Azure took the request to assign ${nameTarget(subject)} to application ${subject.clientId} and did not carry it out: its status is ${status}`;
  throw new AgentctlError("CLOUD_DENIED", message, {
    hint: "look for that request in Privileged Identity Management, under Azure resources and the scope's audit",
    facts: { role: subject.role, scope: subject.scope, client: subject.clientId, status },
  });
}
