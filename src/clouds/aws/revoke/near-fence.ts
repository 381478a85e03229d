import type { EndOrder } from "../../../core/lease.js";

/** IAM's own delay can be as long: where the fence comes sooner than this, writing a deny gains nothing. */
export const NEAR_SECONDS = 60;

/** Whether the session is denied everything by itself before a deny would be sure to be in effect, or is already. */
export function isFenceNear({ usableUntil }: Pick<EndOrder, "usableUntil">, now: number): boolean {
  return usableUntil - now < NEAR_SECONDS * 1000;
}
