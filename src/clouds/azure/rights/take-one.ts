import { type AgentctlError, toAgentctlError } from "../../../core/errors.js";
import type { Runtime } from "../../../core/runtime.js";
import type { Story } from "../../story.js";
import type { Arm } from "./arm.js";
import { azureCodeOf } from "./arm-service.js";
import { UNLICENSED } from "./give.js";
import { nameTarget, type Target } from "./names.js";
import { deletePlain, findPlain } from "./plain-assignments.js";
import { removeTimeBound } from "./remove-time-bound.js";
import { SHORTEST_MS } from "./rights-settings.js";
import { endHere, findRequest, isFruitless, type ScheduleRequest } from "./schedules.js";
import type { TakenFrom } from "./staying.js";

/** Azure's own count of the five minutes need not begin when ours does. */
const MARGIN_MS = 10_000;

/** What became of one assignment that the lease may have been given; times by this machine's clock. */
export type Fate =
  /** There is none of the lease's, and no trace of one. */
  | { readonly kind: "never" }
  /** It ended by itself. */
  | { readonly kind: "over"; readonly endsAt: number }
  /** It was taken back before. */
  | { readonly kind: "gone"; readonly endsAt?: number }
  /** Absent: it would not have ended by itself. */
  | { readonly kind: "removed"; readonly endsAt?: number; readonly from: TakenFrom }
  /** Azure takes it back no sooner. */
  | { readonly kind: "early"; readonly retryAt: number; readonly endsAt: number }
  | { readonly kind: "failed"; readonly error: AgentctlError; readonly target: Target };

/** Takes one assignment back, if the lease has it, and nobody else's. Throws nothing. */
export async function takeOne(
  arm: Arm,
  target: Target,
  { allowUnbounded, story }: { readonly allowUnbounded: boolean; readonly story: Story },
  runtime: Pick<Runtime, "now" | "sleep">,
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
  const { principalId, roleDefinitionId } = found;
  return { kind: "removed", from: { ...target, principalId, roleDefinitionId } };
}

async function takeTimeBound(
  arm: Arm,
  target: Target,
  story: Story,
  runtime: Pick<Runtime, "now" | "sleep">,
): Promise<Fate> {
  const given = await findGiven(arm, target);
  if (given === undefined || isFruitless(given.status)) return { kind: "never" };
  const endsAt = given.endsAt === undefined ? undefined : endHere(arm, given.endsAt);
  if (endsAt !== undefined && endsAt <= runtime.now()) return { kind: "over", endsAt };
  const end = endsAt !== undefined && { endsAt };
  const removal = await removeTimeBound(arm, target, given, runtime);
  if (removal.kind === "gone") return { kind: "gone", ...end };
  if (removal.kind === "removed") {
    story.tell(`took ${nameOf(target)} back`);
    const { principalId, roleDefinitionId } = given;
    return { kind: "removed", ...end, from: { ...target, principalId, roleDefinitionId } };
  }
  story.tell(
    removal.code === "RoleAssignmentDoesNotExist"
      ? `Azure had not made ${nameOf(target)} yet, or does not list it yet (${removal.code})`
      : `Azure takes ${nameOf(target)} back no sooner than ${SHORTEST_MS / 60_000} minutes after it was given (${removal.code})`,
  );
  const earliest = given.startsAt + SHORTEST_MS + MARGIN_MS - arm.clockAheadMs;
  const retryAt = Math.max(earliest, runtime.now() + MARGIN_MS);
  return { kind: "early", retryAt, endsAt: endsAt ?? retryAt };
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

function nameOf(target: Target): string {
  return `${nameTarget(target)} of application ${target.clientId}`;
}
