import { formatInstant } from "../core/durations.js";
import type { Identity } from "../core/identity.js";
import type { Grant, LeaseTerms } from "../core/lease.js";

/** What the exchanges themselves take, and the rounding of lifetimes to seconds, is not worth a line. */
const TOLERATED_MS = 5_000;

/**
 * The line that says at the start that the endpoint's grants cannot be renewed for as long as the lease is to last,
 * since the identity's source gives no further token; undefined where they can, or need not be.
 */
export function renewalNotice(
  grants: readonly Grant[],
  terms: Pick<LeaseTerms, "deadlineAt">,
  { source, mintableUntil }: Pick<Identity, "source" | "mintableUntil">,
): string | undefined {
  const short = grants.filter(
    ({ channel, usableUntil }) => channel === "endpoint" && usableUntil < terms.deadlineAt - TOLERATED_MS,
  );
  if (mintableUntil === undefined || mintableUntil >= terms.deadlineAt || short.length === 0) return undefined;
  const ends = short.map(({ cloud, usableUntil }) => `${cloud} is usable until ${formatInstant(usableUntil)}`);
  const until = `can be renewed only until the identity token ends at ${formatInstant(mintableUntil)}`;
  return `${ends.join(", ")} and ${until}: the source ${source} gives no other`;
}
