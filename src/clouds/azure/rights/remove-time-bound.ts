import { AgentctlError } from "../../../core/errors.js";
import { pauseFor } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { nameTarget, requestNameOf, type Subject, type Target, type Verb } from "./names.js";
import { SHORTEST_MS } from "./rights-settings.js";
import {
  findRequest,
  findSchedule,
  isFruitless,
  isUnderWay,
  requestRemoval,
  type Schedule,
  type ScheduleRequest,
} from "./schedules.js";

const REPEATED: readonly string[] = ["RoleAssignmentRequestExists", "RoleAssignmentScheduleRequestExists"];
/** A request that came to nothing, such as for a lock on the scope, keeps its name. */
const MOST_REQUESTS = 20;
const LOOKS = 5;
const PAUSE_MS = 1_000;

/** `gone`: it was taken back before; `early`: Azure's code for why it is too early. */
export type Removal =
  | { readonly kind: "removed" }
  | { readonly kind: "gone" }
  | { readonly kind: "early"; readonly code: string };
type Taking = Exclude<Verb, "give">;

/**
 * Takes back what came of the lease's own request, and nothing else.
 * @throws {AgentctlError} NOT_TAKEN_BACK where Azure took the request and has not carried it out; as `Arm` does
 */
export async function removeTimeBound(
  arm: Arm,
  target: Target,
  given: ScheduleRequest,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<Removal> {
  if (given.status === "Revoked") return { kind: "gone" };
  const { verb, earlier } = await findVerb(arm, target);
  if (earlier !== undefined) {
    await settle(arm, target, verb, earlier.status, runtime);
    return { kind: "gone" };
  }
  const { principalId, roleDefinitionId, startsAt } = given;
  const subject: Subject = { ...target, principalId, roleDefinitionId };
  const schedule = await findSchedule(arm, subject);
  // Somebody else was given it since: a removal would be of theirs.
  if (schedule !== undefined && !isOf(schedule, target, given)) return { kind: "gone" };
  // What was only just assigned need not be listed yet, and what Azure is still making is not.
  const isYoung = runtime.now() + arm.clockAheadMs - startsAt < SHORTEST_MS || isUnderWay(given.status);
  if (schedule === undefined && !isYoung) return { kind: "gone" };
  try {
    const status = await requestRemoval(arm, subject, schedule?.scheduleId ?? given.scheduleId, verb);
    await settle(arm, target, verb, status, runtime);
    return { kind: "removed" };
  } catch (error) {
    const code = azureCodeOf(error) ?? "";
    if (REPEATED.includes(code)) {
      await settle(arm, target, verb, (await findRequest(arm, target, verb))?.status ?? "", runtime);
      return { kind: "removed" };
    }
    if (code === "RoleAssignmentDoesNotExist" && !isYoung) return { kind: "gone" };
    if (code === "ActiveDurationTooShort" || code === "RoleAssignmentDoesNotExist") return { kind: "early", code };
    throw error;
  }
}

function isOf({ requestName, scheduleId }: Schedule, target: Target, given: ScheduleRequest): boolean {
  if (requestName !== undefined) return requestName === requestNameOf(target, "give");
  return scheduleId.toLowerCase() === given.scheduleId?.toLowerCase();
}

/** The name to ask under: one that is not used up; with the request that was made under it, where something comes of that. */
async function findVerb(
  arm: Arm,
  target: Target,
): Promise<{ readonly verb: Taking; readonly earlier?: ScheduleRequest }> {
  for (let count = 1; count <= MOST_REQUESTS; count += 1) {
    const verb: Taking = count === 1 ? "take" : `take ${count}`;
    const earlier = await findRequest(arm, target, verb);
    if (earlier === undefined) return { verb };
    if (!isFruitless(earlier.status)) return { verb, earlier };
  }
  throw notTaken(target, `refused it ${MOST_REQUESTS} times`);
}

/** Waits a moment for Azure to have carried out what it took. */
async function settle(
  arm: Arm,
  target: Target,
  verb: Taking,
  first: string,
  runtime: Pick<Runtime, "sleep">,
): Promise<void> {
  let status = first;
  for (let looks = 1; isUnderWay(status) && looks <= LOOKS; looks += 1) {
    await pauseFor(PAUSE_MS, undefined, runtime);
    status = (await findRequest(arm, target, verb))?.status ?? status;
  }
  if (isFruitless(status)) throw notTaken(target, `did not carry it out: its status is ${status}`, status);
  if (isUnderWay(status)) throw notTaken(target, `has not carried it out yet: its status is ${status}`, status);
}

function notTaken(target: Target, what: string, status?: string): AgentctlError {
  const message = `Azure took the request to take ${nameTarget(target)} of application ${target.clientId} back and ${what}`;
  return new AgentctlError("NOT_TAKEN_BACK", message, {
    hint: "look whether a lock is on the scope, and at that request in Privileged Identity Management",
    facts: { ...(status !== undefined && { status }) },
  });
}
