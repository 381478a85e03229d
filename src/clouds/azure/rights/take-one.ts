import { AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Story } from "../../story.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { UNLICENSED } from "./give.js";
import { nameTarget, requestNameOf, type Subject, type Target } from "./names.js";
import { deletePlain, findPlain } from "./plain-assignments.js";
import {
  findRequest,
  findSchedule,
  isFruitless,
  requestRemoval,
  type ScheduleRequest,
  SHORTEST_MS,
} from "./schedules.js";

/** Azure's own count of the five minutes need not begin when ours does. */
const MARGIN_MS = 10_000;
const REPEATED: readonly string[] = ["RoleAssignmentRequestExists", "RoleAssignmentScheduleRequestExists"];

/** What became of one assignment that the lease may have been given; times by this machine's clock. */
export type Fate =
  /** There is none of the lease's, and no trace of one. */
  | { readonly kind: "never" }
  /** It ended by itself. */
  | { readonly kind: "over"; readonly endsAt: number }
  /** It was taken back before. */
  | { readonly kind: "gone"; readonly endsAt?: number }
  /** Absent: it would not have ended by itself. */
  | { readonly kind: "removed"; readonly endsAt?: number }
  /** Azure takes it back no sooner. */
  | { readonly kind: "early"; readonly retryAt: number; readonly endsAt: number }
  | { readonly kind: "failed"; readonly error: AgentctlError; readonly target: Target };

/** Takes one assignment back, if the lease has it, and nobody else's. Throws nothing. */
export async function takeOne(
  arm: Arm,
  target: Target,
  { allowUnbounded, story }: { readonly allowUnbounded: boolean; readonly story: Story },
  runtime: Pick<Runtime, "now">,
): Promise<Fate> {
  try {
    const fate = await takeTimeBound(arm, target, story, runtime);
    return fate.kind === "never" && allowUnbounded ? await takePlain(arm, target, story) : fate;
  } catch (thrown) {
    return { kind: "failed", error: toAgentctlError(thrown), target };
  }
}

async function takePlain(arm: Arm, target: Target, story: Story): Promise<Fate> {
  const found = await findPlain(arm, target);
  if (found === undefined) return { kind: "never" };
  await deletePlain(arm, found);
  story.tell(`deleted the assignment of ${nameOf(target)}`);
  return { kind: "removed" };
}

async function takeTimeBound(arm: Arm, target: Target, story: Story, runtime: Pick<Runtime, "now">): Promise<Fate> {
  const given = await findGiven(arm, target);
  if (given === undefined || isFruitless(given.status)) return { kind: "never" };
  const endsAt = given.endsAt === undefined ? undefined : given.endsAt - arm.clockAheadMs;
  if (endsAt !== undefined && endsAt <= runtime.now()) return { kind: "over", endsAt };
  const end = endsAt !== undefined && { endsAt };
  const refusal = await removeTimeBound(arm, target, given, runtime);
  if (refusal === "gone") return { kind: "gone", ...end };
  if (refusal === undefined) {
    story.tell(`took ${nameOf(target)} back`);
    return { kind: "removed", ...end };
  }
  const minutes = SHORTEST_MS / 60_000;
  story.tell(`Azure takes ${nameOf(target)} back no sooner than ${minutes} minutes after it was given (${refusal})`);
  const earliest = given.startsAt + SHORTEST_MS + MARGIN_MS - arm.clockAheadMs;
  const retryAt = Math.max(earliest, runtime.now() + MARGIN_MS);
  return { kind: "early", retryAt, endsAt: endsAt ?? retryAt };
}

/** Undefined when it is removed by this; `gone` when it was before; else Azure's code for why it is too early. */
async function removeTimeBound(
  arm: Arm,
  target: Target,
  given: ScheduleRequest,
  runtime: Pick<Runtime, "now">,
): Promise<string | undefined> {
  const verb = given.status === "Revoked" ? "gone" : await findVerb(arm, target);
  if (verb === "gone") return "gone";
  const { principalId, roleDefinitionId, startsAt } = given;
  const subject: Subject = { ...target, principalId, roleDefinitionId };
  const schedule = await findSchedule(arm, subject);
  // Somebody else was given it since: a removal would be of theirs.
  if (schedule !== undefined && schedule.requestName !== requestNameOf(target, "give")) return "gone";
  // What was only just assigned need not be listed yet.
  const isYoung = runtime.now() + arm.clockAheadMs - startsAt < SHORTEST_MS;
  if (schedule === undefined && !isYoung) return "gone";
  const refusal = await tryRemoval(arm, subject, schedule?.scheduleId ?? given.scheduleId, verb);
  return refusal === "RoleAssignmentDoesNotExist" && !isYoung ? "gone" : refusal;
}

/** Under which name it can be asked for; `gone` where it was, and something came of that. */
async function findVerb(arm: Arm, target: Target): Promise<"take" | "take again" | "gone"> {
  const earlier = await findRequest(arm, target, "take");
  if (earlier === undefined) return "take";
  return isFruitless(earlier.status) ? "take again" : "gone";
}

/** Where the tenant has no licence for time-bound assignments there are none. */
async function findGiven(arm: Arm, target: Target): Promise<ScheduleRequest | undefined> {
  try {
    return await findRequest(arm, target, "give");
  } catch (error) {
    if (azureCodeOf(error) === UNLICENSED) return undefined;
    throw error;
  }
}

/** Undefined when it is taken back; else Azure's code for why it is not yet, or not there. */
async function tryRemoval(
  arm: Arm,
  subject: Subject,
  scheduleId: string | undefined,
  verb: "take" | "take again",
): Promise<string | undefined> {
  try {
    const status = await requestRemoval(arm, subject, scheduleId, verb);
    if (isFruitless(status)) throw fruitless(subject, status);
    return undefined;
  } catch (error) {
    const code = azureCodeOf(error) ?? "";
    if (REPEATED.includes(code)) return undefined;
    if (code === "ActiveDurationTooShort" || code === "RoleAssignmentDoesNotExist") return code;
    throw error;
  }
}

function fruitless(target: Target, status: string): AgentctlError {
  const message = `Azure took the request to take ${nameOf(target)} back and did not carry it out: its status is ${status}`;
  return new AgentctlError("CLOUD_DENIED", message, { hint: "look whether a lock is on the scope", facts: { status } });
}

function nameOf(target: Target): string {
  return `${nameTarget(target)} of application ${target.clientId}`;
}
