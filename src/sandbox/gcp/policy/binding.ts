import { createHash } from "node:crypto";
import type { IamBinding, IamCondition } from "../world.js";

/** A binding as a policy holds it. */
export interface PolicyBinding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: IamCondition;
}

/** A world's binding, whose condition may be its expression alone. */
export function asPolicyBinding({ role, members, condition }: IamBinding): PolicyBinding {
  if (condition === undefined) return { role, members };
  return {
    role,
    members,
    condition: typeof condition === "string" ? { title: "condition", expression: condition } : condition,
  };
}

/**
 * As IAM keeps them: one binding for a role and a condition, each member once, none without members, by role and by
 * name. Bindings that differ in their conditions' titles alone stay two.
 */
export function normalizeBindings(bindings: readonly PolicyBinding[]): readonly PolicyBinding[] {
  const byKey = new Map<string, PolicyBinding>();
  for (const binding of bindings) {
    const key = keyOf(binding);
    const members = [...new Set([...(byKey.get(key)?.members ?? []), ...binding.members])].sort();
    if (members.length > 0) byKey.set(key, { ...binding, members });
  }
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, binding]) => binding);
}

/** The roles of which one policy grants something that the other does not. */
export function findChangedRoles(before: readonly PolicyBinding[], after: readonly PolicyBinding[]): readonly string[] {
  const [old, fresh] = [listGrants(before), listGrants(after)];
  const changed = [...old, ...fresh].filter(([grant]) => !(old.has(grant) && fresh.has(grant)));
  return [...new Set(changed.map(([, role]) => role))];
}

function listGrants(bindings: readonly PolicyBinding[]): ReadonlyMap<string, string> {
  return new Map(
    bindings.flatMap((binding) =>
      binding.members.map((member) => [JSON.stringify([keyOf(binding), member]), binding.role] as const),
    ),
  );
}

/** The same for the same role and condition. */
export function keyOf({ role, condition }: PolicyBinding): string {
  if (condition === undefined) return JSON.stringify([role]);
  return JSON.stringify([role, condition.title, condition.description ?? "", condition.expression]);
}

/** What stands for the role to a reader who does not know of conditions. */
export function hideCondition(binding: PolicyBinding): PolicyBinding {
  if (binding.condition === undefined) return binding;
  const mark = createHash("sha256").update(keyOf(binding)).digest("hex").slice(0, 20);
  return { role: `${binding.role}_withcond_${mark}`, members: binding.members };
}
