import { isWithin } from "../scope.js";
import type { Assignment, AssignmentKey } from "./assignments.js";
import type { AssignmentFilter } from "./filter.js";

/** What is assigned at a scope, above it and, unless the filter says otherwise, below. */
export function selectAssigned<One extends AssignmentKey>(
  all: readonly One[],
  scope: string,
  { isAtScope, principalId }: AssignmentFilter,
): readonly One[] {
  return all.filter((one) => {
    if (principalId !== undefined && one.principalId !== principalId) return false;
    return isWithin(scope, one.scope) || (!isAtScope && isWithin(one.scope, scope));
  });
}

/** Whether Privileged Identity Management has made it by now. */
export function isProvisioned({ provisionedAt = 0 }: Assignment, now: number): boolean {
  return provisionedAt <= now;
}

/** Whether it is not one for later. */
export function hasBegun({ startsAt }: Assignment, now: number): boolean {
  return startsAt <= now;
}
