import { untilAborted } from "../../../core/until-aborted.js";
import { withinTime } from "../../within-time.js";
import type { Arm } from "./arm.js";
import type { Subject } from "./names.js";
import { isAt, listPlain } from "./plain-assignments.js";
import { isSameRole } from "./role-definitions.js";

/** It only explains: nothing waits long for it. */
const LOOK_MS = 4_000;

/** Whose assignments were taken back, of which role, at which scope. */
export type TakenFrom = Pick<Subject, "clientId" | "principalId" | "roleDefinitionId" | "role" | "scope">;

/**
 * Where above the scopes the principals are assigned the same roles, by assignments that stay, in words for the user; none
 * where Azure does not say so. (At the scope itself Azure makes one of each.) What they have as members of groups is not
 * looked for.
 */
export async function findStaying(arm: Arm, taken: readonly TakenFrom[], signal: AbortSignal): Promise<string[]> {
  const look = () => Promise.all(taken.map((one) => findAbove(arm, one)));
  try {
    return (await withinTime(LOOK_MS, signal, (cut) => untilAborted(look(), cut))).flat();
  } catch {
    return [];
  }
}

async function findAbove(arm: Arm, { clientId, principalId, roleDefinitionId, role, scope }: TakenFrom) {
  const all = await listPlain(arm, scope, principalId);
  return all
    .filter(
      (one) => isWithin(scope, one.scope) && !isAt(one, scope) && isSameRole(one.roleDefinitionId, roleDefinitionId),
    )
    .map((one) => `application ${clientId} keeps ${role} by another assignment, on ${one.scope}`);
}

/** Whether a resource id is that of the scope, or of something below it. */
export function isWithin(inner: string, scope: string): boolean {
  const root = scope.replace(/\/$/, "").toLowerCase();
  return `${inner}/`.toLowerCase().startsWith(`${root}/`);
}
