import { formatInstant } from "../../core/durations.js";
import type { GrantTerms } from "../../core/lease.js";

/** What the exchanges themselves take, and the rounding of lifetimes to seconds, is not worth a line. */
const TOLERATED_MS = 5_000;

/** The one line for the user when a token ends before the lease, and nothing will renew it. */
export function earlyEndNotice(cloud: string, usableUntil: number, terms: GrantTerms): string | undefined {
  if (terms.channel === "endpoint" || usableUntil >= terms.endsAt - TOLERATED_MS) return undefined;
  const [end, deadline] = [formatInstant(usableUntil), formatInstant(terms.endsAt)];
  return `${cloud}: the token ends at ${end}, before the lease does at ${deadline}; nothing renews it`;
}
