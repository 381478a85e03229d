import { keyOf, type PolicyBinding } from "../policy/binding.js";
import type { LivePolicies } from "../policy/live-policies.js";
import type { GcpWorld } from "../world.js";
import { holderNameOf, type PamGrant } from "./grant.js";

const TITLE = "Created by: PAM";

/** The bindings that a grant is, once it is active: they end by themselves as well. */
export function bindingsOf(grant: PamGrant, world: GcpWorld): readonly PolicyBinding[] {
  const end = `request.time < timestamp("${new Date(grant.endsAt ?? 0).toISOString()}")`;
  return (world.entitlements[grant.entitlement]?.roles ?? []).map(({ role, condition }) => ({
    role,
    members: [grant.request.member],
    condition: {
      title: TITLE,
      description: `Grant: ${grant.name}`,
      expression: condition === undefined ? end : `(${condition}) && ${end}`,
    },
  }));
}

export function giveAccess(grant: PamGrant, world: GcpWorld, policies: LivePolicies, at: number): void {
  const holder = holderNameOf(grant.entitlement);
  policies.write(holder, [...(policies.read(holder)?.bindings ?? []), ...bindingsOf(grant, world)], at);
}

export function removeAccess(grant: PamGrant, world: GcpWorld, policies: LivePolicies, at: number): void {
  const holder = holderNameOf(grant.entitlement);
  const ours = new Set(bindingsOf(grant, world).map(keyOf));
  const bindings = policies.read(holder)?.bindings ?? [];
  const kept = bindings.filter((binding) => !ours.has(keyOf(binding)));
  if (kept.length < bindings.length) policies.write(holder, kept, at);
}

/** Whether all that was given is in the policy still. */
export function hasAccess(grant: PamGrant, world: GcpWorld, policies: LivePolicies): boolean {
  const there = new Set((policies.read(holderNameOf(grant.entitlement))?.bindings ?? []).map(keyOf));
  return bindingsOf(grant, world).every((binding) => there.has(keyOf(binding)));
}
