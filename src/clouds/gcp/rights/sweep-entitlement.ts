import { formatInstant } from "../../../core/durations.js";
import type { KeptInSweep } from "../../../core/sweep-report.js";
import { openStory } from "../../story.js";
import type { SweepParts } from "../../sweep-parts.js";
import type { Asking } from "./ask-rights.js";
import { type Enders, endEntitlement } from "./end-entitlement.js";
import { findOpenGrants } from "./entitlement-client.js";
import type { EntitlementGrant } from "./entitlement-grant.js";

/** Whoever asked for it by a clock that is wrong by less than this may still need it. */
const GRACE_MS = 5 * 60_000;

type Ours = EntitlementGrant & { readonly leaseId: string };

/**
 * Ends the grants of an entitlement that the profile's principal asked for, for leases that are over, and tells of those
 * that may still be needed. One that cannot be ended is among the failures of `parts`.
 * @throws {AgentctlError} as `findOpenGrants` does, and `enders.principal`
 */
export async function sweepEntitlement(
  { entitlement, waitMs }: { readonly entitlement: string; readonly waitMs: number },
  enders: Enders,
  parts: Pick<SweepParts, "attempt">,
  asking: Asking,
): Promise<{ readonly removed: readonly string[]; readonly kept: readonly KeptInSweep[] }> {
  const bearer = await enders.principal();
  const now = asking.runtime.now();
  const open = await findOpenGrants(entitlement, { bearer, isRequester: true }, asking);
  const ours = open.filter(isOurs);
  const removed: string[] = [];
  for (const { name, leaseId } of ours.filter((grant) => isStale(grant, now))) {
    await parts.attempt(name, async () => {
      // Others may have written the same.
      const end = { entitlement, leaseId, only: name, waitMs, story: openStory(asking.runtime) };
      if (await endEntitlement(end, enders, asking)) removed.push(nameOf({ name, leaseId }));
    });
  }
  return { removed, kept: ours.filter((grant) => !isStale(grant, now)).map(describeKept) };
}

function isOurs(grant: EntitlementGrant): grant is Ours {
  return grant.leaseId !== undefined;
}

function isStale({ leaseEndsAt }: EntitlementGrant, now: number): boolean {
  return leaseEndsAt !== undefined && leaseEndsAt + GRACE_MS < now;
}

/** A grant that has not begun, such as one that waits for somebody to approve it, says no end yet. */
function describeKept(grant: Ours): KeptInSweep {
  const { endsAt, state } = grant;
  if (endsAt === undefined) return { name: `${nameOf(grant)}, which is ${state}` };
  return { name: nameOf(grant), until: formatInstant(Math.ceil(endsAt / 1000) * 1000), endsByItself: true };
}

function nameOf({ name, leaseId }: Pick<Ours, "name" | "leaseId">): string {
  return `grant ${name.slice(name.lastIndexOf("/") + 1)} (lease ${leaseId})`;
}
