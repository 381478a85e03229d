import { formatInstant } from "../../core/durations.js";
import type { LeaseTerms } from "../../core/lease.js";

/** The one line for the user when a token ends before the lease, and nothing will renew it. */
export function earlyEndNotice(cloud: string, usableUntil: number, terms: LeaseTerms): string | undefined {
  if (Math.floor(usableUntil / 1000) >= Math.floor(terms.deadlineAt / 1000)) return undefined;
  const [end, deadline] = [formatInstant(usableUntil), formatInstant(terms.deadlineAt)];
  return `${cloud}: the token ends at ${end}, before the lease does at ${deadline}; nothing renews it`;
}
