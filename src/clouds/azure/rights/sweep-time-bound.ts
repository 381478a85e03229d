import type { Runtime } from "../../../core/runtime.js";
import type { FailedPart, SweepParts } from "../../sweep-parts.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { isStale, UNLICENSED } from "./give.js";
import { readMark, requestNameOf, type Target } from "./names.js";
import { removeTimeBound } from "./remove-time-bound.js";
import { findRequestNamed, listSchedulesAt, type Schedule, type ScheduleRequest } from "./schedules.js";

/** A principal at a scope, and the roles that the profile gives there. */
export interface Place {
  readonly clientId: string;
  readonly principalId: string;
  readonly scope: string;
  readonly roles: readonly string[];
}

/** An assignment for a time that a lease was given. */
interface TimeBound {
  /** As in the profile, or its definition's id where the profile does not name it so any more. */
  readonly role: string;
  readonly leaseId: string;
  /** By Azure's clock. */
  readonly until: number;
  /** Whether it ends by itself then; else that is when its lease does. */
  readonly endsByItself: boolean;
  /** What it was given by, where it stayed after its lease's last moment. */
  readonly stale?: { readonly target: Target; readonly request: ScheduleRequest };
}

export interface SweptTimeBound {
  readonly removed: readonly TimeBound[];
  readonly kept: readonly TimeBound[];
}

/**
 * Finds the time-bound assignments of leases at one place, by what their requests say, and takes back those that Azure has
 * not ended at their time, as where a lock kept it from that.
 * @throws {AgentctlError} as `Arm` does; one that cannot be taken back is among the failures of `parts`
 */
export async function sweepTimeBound(
  arm: Arm,
  place: Place,
  parts: Pick<SweepParts, "attempt">,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<SweptTimeBound> {
  const found: readonly TimeBound[] = await findTimeBound(arm, place, runtime.now() + arm.clockAheadMs);
  const [removed, kept]: [TimeBound[], TimeBound[]] = [[], found.filter(({ stale }) => stale === undefined)];
  for (const one of found) {
    const { stale } = one;
    if (stale === undefined) continue;
    await parts.attempt(partOf(one, place), async () => {
      const { kind } = await removeTimeBound(arm, stale.target, stale.request, runtime);
      if (kind === "removed") removed.push(one);
      if (kind === "early") kept.push(one);
    });
  }
  return { removed, kept };
}

function partOf({ role, leaseId }: TimeBound, { scope, clientId }: Place): FailedPart["part"] {
  return `${role} of application ${clientId} at ${scope} (lease ${leaseId})`;
}

/** Where the tenant has no licence for them there are none. */
async function findTimeBound(arm: Arm, place: Place, azureNow: number): Promise<readonly TimeBound[]> {
  try {
    const schedules = await listSchedulesAt(arm, place);
    return (await Promise.all(schedules.map((one) => readTimeBound(arm, one, place, azureNow)))).flat();
  } catch (error) {
    if (azureCodeOf(error) === UNLICENSED) return [];
    throw error;
  }
}

/** None where no lease was given it: its request says whose it is. */
async function readTimeBound(
  arm: Arm,
  { requestName, roleDefinitionId, endsAt }: Schedule,
  { clientId, scope, roles }: Place,
  azureNow: number,
): Promise<readonly TimeBound[]> {
  const request = requestName === undefined ? undefined : await findRequestNamed(arm, scope, requestName);
  const mark = readMark(request?.justification);
  if (request === undefined || requestName === undefined || mark === undefined) return [];
  const { leaseId } = mark;
  const role = roles.find((each) => requestNameOf({ leaseId, clientId, role: each, scope }, "give") === requestName);
  const isOver = role !== undefined && isStale({ name: requestName, mark }, { clientId, role, scope }, azureNow);
  return [
    {
      role: role ?? roleDefinitionId.split("/").at(-1) ?? "",
      leaseId,
      until: endsAt ?? mark.endsAt,
      endsByItself: endsAt !== undefined,
      ...(isOver && { stale: { target: { leaseId, clientId, role, scope }, request } }),
    },
  ];
}
