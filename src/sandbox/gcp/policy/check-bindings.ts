import { mayStandOn } from "../roles.js";
import type { GcpWorld } from "../world.js";
import { keyOf, type PolicyBinding } from "./binding.js";
import { findConditionFault } from "./check-condition.js";
import { findMemberFault } from "./check-members.js";
import type { PolicyHolder } from "./holder.js";

const MAX_MEMBERS = 1500;
const MAX_GROUPS = 250;
const MAX_CONDITIONS = 20;

/** What Google would refuse normalized bindings for, in its words as far as they are known. */
export function findBindingFault(
  bindings: readonly PolicyBinding[],
  holder: PolicyHolder,
  world: GcpWorld,
): string | undefined {
  for (const binding of bindings) {
    const fault =
      findRoleFault(binding.role, holder, world) ??
      findFirst(binding.members, (member) => findMemberFault(member, holder, world)) ??
      findConditionFault(binding);
    if (fault !== undefined) return fault;
  }
  return findDeletedNamesake(bindings) ?? findExcess(bindings);
}

/** Somebody deleted, and somebody else under the same name, which Google does not take in one policy. */
function findDeletedNamesake(bindings: readonly PolicyBinding[]): string | undefined {
  const members = new Set(bindings.flatMap((binding) => binding.members));
  return findFirst([...members], (member) => {
    const namesake = /^deleted:(.+)\?uid=/.exec(member)?.[1];
    if (namesake === undefined || !members.has(namesake)) return undefined;
    return `Inconsistent representation of deleted member: '${member}' and '${namesake}'`;
  });
}

function findRoleFault(role: string, { kind }: PolicyHolder, { projectId, roles }: GcpWorld): string | undefined {
  return mayStandOn(role, kind, projectId, roles) ? undefined : `Role ${role} is not supported for this resource.`;
}

function findExcess(bindings: readonly PolicyBinding[]): string | undefined {
  const members = bindings.flatMap((binding) => binding.members);
  // A member counts as often as it is named.
  if (members.length > MAX_MEMBERS)
    return explainExcess("The number of members in the policy", members.length, MAX_MEMBERS);
  const groups = new Set(members.filter((member) => /^(?:group|domain):/.test(member))).size;
  if (groups > MAX_GROUPS) return explainExcess("The number of groups in the policy", groups, MAX_GROUPS);
  return findFirst([...countConditions(bindings)], ([who, conditions]) =>
    conditions.size > MAX_CONDITIONS
      ? explainExcess(`The number of different conditions for ${who}`, conditions.size, MAX_CONDITIONS)
      : undefined,
  );
}

function countConditions(bindings: readonly PolicyBinding[]): ReadonlyMap<string, ReadonlySet<string>> {
  const counted = new Map<string, Set<string>>();
  for (const binding of bindings.filter(({ condition }) => condition !== undefined)) {
    for (const member of binding.members) {
      const who = `role ${binding.role} and member ${member}`;
      counted.set(who, (counted.get(who) ?? new Set()).add(keyOf(binding)));
    }
  }
  return counted;
}

function explainExcess(what: string, count: number, limit: number): string {
  const [shown, allowed] = [count, limit].map((number) => number.toLocaleString("en-US"));
  return `${what} (${shown}) is larger than the maximum allowed size ${allowed}.`;
}

function findFirst<Item>(items: readonly Item[], find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
