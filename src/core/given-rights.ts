import type { Facts } from "./lease.js";

/** The facts of a plan that say what is given for the time of a lease. */
const GIVING: readonly string[] = ["bindings", "assignments", "entitlement"];

/** One line a right that a plan gives its principal for the time of the lease, such as `Reader on /subscriptions/…`. */
export function givenRights(facts: Facts): readonly string[] {
  return GIVING.flatMap((name) => facts[name] ?? []).map(String);
}
