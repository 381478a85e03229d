import type { Change } from "./change-policy.js";
import { leaseOf, withoutExpired } from "./policy.js";

export interface Removed {
  /** Titles of others of ours, which had ended. */
  readonly pruned: readonly string[];
}

/** The bindings without those of the lease, by its id alone, and without ours of the same roles that have ended. */
export function removeLease(
  { leaseId, roles }: { readonly leaseId: string; readonly roles: readonly string[] },
  bindings: readonly unknown[],
  googleNow: number,
): Change<Removed> {
  const others = bindings.filter((binding) => leaseOf(binding)?.leaseId !== leaseId);
  const { kept, pruned } = withoutExpired(others, googleNow, roles);
  return { ...(kept.length < bindings.length && { bindings: kept }), told: { pruned } };
}

export interface Pruned {
  readonly removed: readonly string[];
  /** Titles with their ends, epoch ms by Google's clock. */
  readonly kept: readonly { readonly title: string; readonly endsAt: number }[];
}

/** The bindings without ours of the roles that have ended, and what of ours stays. */
export function removeExpired(
  roles: readonly string[],
  bindings: readonly unknown[],
  googleNow: number,
): Change<Pruned> {
  const { kept, pruned } = withoutExpired(bindings, googleNow, roles);
  const ours = new Map(kept.flatMap((binding) => leaseOf(binding) ?? []).map((lease) => [lease.title, lease] as const));
  const staying = [...ours.values()].map(({ title, endSeconds }) => ({ title, endsAt: endSeconds * 1000 }));
  return { ...(pruned.length > 0 && { bindings: kept }), told: { removed: pruned, kept: staying } };
}
