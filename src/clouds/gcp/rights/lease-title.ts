import { formatInstant } from "../../../core/durations.js";

/** What the titles of our bindings' conditions begin with, so that anybody can find, and prune, what nobody remembers. */
const TITLE = /^agentctl-(l-[0-9A-Za-z]{16})-(\d{9,11})$/;

/** A clock that is wrong by less than this prunes nothing that still gives a right. */
const GRACE_SECONDS = 300;

/** A difference of clocks that small is latency and rounding. */
export const TOLERATED_MS = 30_000;

/** What the title of a lease's binding says. */
export interface LeaseTitle {
  readonly title: string;
  readonly leaseId: string;
  /** When its condition ends it, by Google's clock. */
  readonly endSeconds: number;
}

export function titleOf(leaseId: string, endSeconds: number): string {
  return `agentctl-${leaseId}-${endSeconds}`;
}

/** The condition of a binding that ends then, by Google's clock. */
export function expressionOf(endSeconds: number): string {
  return `request.time < timestamp("${formatInstant(endSeconds * 1000)}")`;
}

/** By how much a time by this machine's clock is moved for Google's, which is `aheadMs` ahead: for more than latency. */
export function correctionOf(aheadMs: number): number {
  return Math.abs(aheadMs) > TOLERATED_MS ? aheadMs : 0;
}

/** Undefined for every title that is not ours. */
export function readTitle(title: unknown): LeaseTitle | undefined {
  const [whole, leaseId, end] = (typeof title === "string" && TITLE.exec(title)) || [];
  return whole === undefined || leaseId === undefined ? undefined : { title: whole, leaseId, endSeconds: Number(end) };
}

/** Whether its condition has given nothing for long enough. */
export function hasExpired({ endSeconds }: LeaseTitle, googleNow: number): boolean {
  return (endSeconds + GRACE_SECONDS) * 1000 < googleNow;
}
