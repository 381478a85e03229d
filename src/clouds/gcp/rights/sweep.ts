import { formatInstant } from "../../../core/durations.js";
import type { EndContext } from "../../../core/lease.js";
import type { GcpSettings } from "../../../core/profile.js";
import type { Runtime } from "../../../core/runtime.js";
import type { CloudSweep } from "../../cloud.js";
import { openParts, type SweepParts } from "../../sweep-parts.js";
import type { Asking } from "./ask-rights.js";
import { beGranter, type Federation, openFederation } from "./bearers.js";
import { changePolicy } from "./change-policy.js";
import { openEnders } from "./open-enders.js";
import { OPEN_LIMITS, type OpenLimits } from "./open-rights.js";
import { type Pruned, removeExpired } from "./remove-bindings.js";
import type { Rights } from "./rights.js";
import { sweepEntitlement } from "./sweep-entitlement.js";
import { TAKE_BACK_LIMITS } from "./take-back.js";

export interface SweepLimits extends OpenLimits {
  /** For one grant of an entitlement to end. */
  readonly entitlementMs: number;
}

const SWEEP_LIMITS: SweepLimits = { ...OPEN_LIMITS, entitlementMs: TAKE_BACK_LIMITS.entitlementMs };

/** A profile's rights being swept. */
interface Work {
  readonly rights: Rights;
  readonly settings: GcpSettings;
  readonly federation: Federation;
  readonly parts: SweepParts;
  readonly asking: Asking;
  readonly limits: SweepLimits;
}

type Found = Pick<CloudSweep, "removed" | "kept">;

const NOTHING: Found = { removed: [], kept: [] };

/**
 * Takes what leases left: those of our bindings off the profile's resources that have ended, whichever lease they were of,
 * of the profile's roles alone, since its granter may be allowed to change no others; and the grants of its entitlement
 * that its principal asked for, for leases that are over. What cannot be swept leaves the rest be.
 * @throws {AgentctlError} as `openFederation` does; where only the one or the other is given, why that cannot be swept
 */
export async function sweepRights(
  rights: Rights,
  settings: GcpSettings,
  context: Pick<EndContext, "mintToken" | "signal">,
  runtime: Runtime,
  limits: SweepLimits = SWEEP_LIMITS,
): Promise<CloudSweep> {
  const { gifts, entitlement } = rights;
  const asking: Asking = { signal: context.signal, runtime, limits: limits.exchange };
  const federation = await openFederation(settings, (audiences) => context.mintToken(audiences), asking);
  const parts = openParts(context.signal);
  const work = { rights, settings, federation, parts, asking, limits };
  const found = await sweepBoth(work);
  return {
    cloud: "gcp",
    where: [...gifts.map(({ resource }) => resource.name), ...(entitlement === undefined ? [] : [entitlement])].join(
      ", ",
    ),
    removed: found.flatMap(({ removed }) => removed),
    kept: found.flatMap(({ kept }) => kept),
    failures: parts.failures,
  };
}

async function sweepBoth(work: Work): Promise<readonly Found[]> {
  const { gifts, entitlement } = work.rights;
  if (entitlement === undefined) return [await sweepBindings(work)];
  if (gifts.length === 0) return [await sweepGrants(work, entitlement)];
  const bindings = await work.parts.attempt("gcp.bindings", () => sweepBindings(work));
  const grants = await work.parts.attempt(entitlement, () => sweepGrants(work, entitlement));
  return [bindings ?? NOTHING, grants ?? NOTHING];
}

async function sweepBindings({ rights, settings, federation, parts, asking, limits }: Work): Promise<Found> {
  const { granter: account, gifts } = rights;
  if (account === undefined) return NOTHING;
  const granter = await beGranter(settings, account, federation, asking);
  const swept: Pruned[] = [];
  for (const { resource, roles } of gifts) {
    const remove = (bindings: readonly unknown[], googleNow: number) => removeExpired(roles, bindings, googleNow);
    const change = () => changePolicy(resource, remove, granter, asking, limits.change);
    const pruned = await parts.attempt(resource.name, change);
    if (pruned !== undefined) swept.push(pruned);
  }
  return {
    removed: swept.flatMap(({ removed }) => removed),
    kept: swept.flatMap(({ kept }) => kept.map(({ title, endsAt }) => ({ name: title, until: formatInstant(endsAt) }))),
  };
}

async function sweepGrants({ rights, settings, federation, parts, asking, limits }: Work, entitlement: string) {
  const enders = await openEnders(settings, rights, federation, asking);
  return sweepEntitlement({ entitlement, waitMs: limits.entitlementMs }, enders, parts, asking);
}
