import { fieldOf, textOf } from "../../exchange/wire.js";
import { expressionOf, hasExpired, type LeaseTitle, readTitle } from "./lease-title.js";

/** The version that has conditions. */
export const POLICY_VERSION = 3;

/** A policy as it came; what of it is not ours goes back as it is. */
export interface Policy {
  readonly etag: string;
  readonly bindings: readonly unknown[];
  /** All of it, with what we do not know. */
  readonly whole: Readonly<Record<string, unknown>>;
}

export interface LeaseBinding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition: { readonly title: string; readonly description: string; readonly expression: string };
}

/** Throws a plain Error for what is no policy. */
export function readPolicy(json: unknown): Policy {
  const etag = textOf(json, "etag");
  const bindings = fieldOf(json, "bindings") ?? [];
  if (etag === undefined || !Array.isArray(bindings)) throw new Error("there is no policy in it");
  return { etag, bindings, whole: json as Record<string, unknown> };
}

/** As it is written: in the version that has conditions, whatever it was read in. */
export function writtenPolicy({ whole, etag }: Policy, bindings: readonly unknown[]): Record<string, unknown> {
  return { ...whole, version: POLICY_VERSION, etag, bindings };
}

/** What the title of a binding's condition says, where the binding is one of ours. */
export function leaseOf(binding: unknown): LeaseTitle | undefined {
  return readTitle(textOf(fieldOf(binding, "condition"), "title"));
}

/**
 * The bindings that stay when ours that have ended are taken out, and the titles of those. Of the `roles` alone: a granter
 * may be allowed to change no others, and Google would refuse the whole write.
 */
export function withoutExpired(
  bindings: readonly unknown[],
  googleNow: number,
  roles: readonly string[],
): { readonly kept: readonly unknown[]; readonly pruned: readonly string[] } {
  const isOver = (binding: unknown): boolean => {
    const lease = leaseOf(binding);
    if (lease === undefined || !hasExpired(lease, googleNow)) return false;
    return roles.includes(textOf(binding, "role") ?? "") && endsAsTitled(binding, lease);
  };
  const pruned = bindings.filter(isOver).map((binding) => leaseOf(binding)?.title ?? "");
  return { kept: bindings.filter((binding) => !isOver(binding)), pruned: [...new Set(pruned)] };
}

/** With any other condition it may still give what it gives, whatever its title says: somebody changed it, or made it. */
export function endsAsTitled(binding: unknown, { endSeconds }: LeaseTitle): boolean {
  return textOf(fieldOf(binding, "condition"), "expression") === expressionOf(endSeconds);
}

/** The bindings of one lease, whenever they end. */
export function bindingsOf(bindings: readonly unknown[], leaseId: string): readonly unknown[] {
  return bindings.filter((binding) => leaseOf(binding)?.leaseId === leaseId);
}

/** How many bindings with a condition give the member the role. */
export function countConditional(bindings: readonly unknown[], role: string, member: string): number {
  return bindings.filter((one) => gives(one, role, member) && fieldOf(one, "condition") !== undefined).length;
}

export function gives(binding: unknown, role: string, member: string): boolean {
  const members = fieldOf(binding, "members");
  return textOf(binding, "role") === role && Array.isArray(members) && members.includes(member);
}
