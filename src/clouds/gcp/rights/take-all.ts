import { toAgentctlError } from "../../../core/errors.js";
import type { Runtime } from "../../../core/runtime.js";
import { textOf } from "../../exchange/wire.js";
import type { Story } from "../../story.js";
import type { Asking } from "./ask-rights.js";
import { type ChangeLimits, changePolicy } from "./change-policy.js";
import { type Enders, endEntitlement } from "./end-entitlement.js";
import { bindingsOf } from "./policy.js";
import { removeLease } from "./remove-bindings.js";
import type { PolicyResource } from "./resources.js";
import { findStaying, type Staying } from "./staying.js";
import type { Target } from "./undo.js";

export interface TakingAll {
  readonly target: Target;
  readonly story: Story;
  readonly runtime: Pick<Runtime, "now">;
  readonly limits: { readonly change: ChangeLimits; readonly entitlementMs: number };
}

/** What was found of a lease, and taken back. */
export interface Taken {
  readonly wasThere: boolean;
  /** Whether it was all that can have been given: nothing more of it can be under way. */
  readonly isWhole: boolean;
  /** Whether somewhere there was nothing of it, as Google showed it. */
  readonly isMissing: boolean;
  /** What gives the same, and stays. */
  readonly staying: readonly Staying[];
}

/**
 * Takes all that there is of the lease, side by side; each is tried, also where another fails.
 * @throws {AgentctlError} the first of what `changePolicy` and `endEntitlement` threw
 */
export async function takeAll(work: TakingAll, enders: Enders, asking: Asking): Promise<Taken> {
  const { target, limits, story } = work;
  const { resources, entitlement, leaseId } = target;
  const removals = resources.map((resource) => takeFrom(resource, work, enders, asking));
  const end = { leaseId, waitMs: limits.entitlementMs, story };
  const ended = entitlement === undefined ? [] : [endEntitlement({ ...end, entitlement }, enders, asking)];
  const endings = ended.map(async (ending): Promise<Taken> => {
    const wasThere = await ending;
    return { wasThere, isWhole: false, isMissing: !wasThere, staying: [] };
  });
  const outcomes = await Promise.allSettled([...removals, ...endings]);
  const failures = outcomes
    .filter((outcome) => outcome.status === "rejected")
    .map(({ reason }) => toAgentctlError(reason));
  for (const failure of failures.slice(1)) story.tell(`failed: ${failure.message}`);
  if (failures[0] !== undefined) throw failures[0];
  return together(outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : [])));
}

function together(all: readonly Taken[]): Taken {
  return {
    wasThere: all.some(({ wasThere }) => wasThere),
    isWhole: all.every(({ isWhole }) => isWhole),
    isMissing: all.some(({ isMissing }) => isMissing),
    staying: all.flatMap(({ staying }) => staying),
  };
}

async function takeFrom(
  resource: PolicyResource,
  { target, limits, story, runtime }: TakingAll,
  { granter, refusal }: Enders,
  asking: Asking,
): Promise<Taken> {
  if (granter === undefined) throw refusal ?? new Error(`nobody takes anything off ${resource.name}`);
  // A write whose answer was lost has landed, where they are there no more at the next try.
  let seen: readonly unknown[] = [];
  let staying: readonly Staying[] = [];
  const remove = (bindings: readonly unknown[], googleNow: number) => {
    const own = bindingsOf(bindings, target.leaseId);
    if (own.length > 0) seen = own;
    const question = { resource: resource.name, leaseId: target.leaseId, ...givenBy(seen, target) };
    staying = findStaying(question, bindings, googleNow, runtime.now());
    return removeLease(target, bindings, googleNow);
  };
  const { pruned } = await changePolicy(resource, remove, granter, asking, limits.change);
  if (seen.length > 0) story.tell(`took ${seen.length} of its bindings off ${resource.name}, as ${granter.who}`);
  if (pruned.length > 0) story.tell(`pruned ${pruned.length} of our bindings on ${resource.name}, which had ended`);
  const wasThere = seen.length > 0;
  return { wasThere, isWhole: wasThere, isMissing: !wasThere, staying };
}

/** Which roles the lease's bindings gave, and to whom: as they say, and where they are gone already as the order does. */
function givenBy(own: readonly unknown[], { roles, who }: Target) {
  const members = own.flatMap((binding) => (binding as { readonly members?: unknown }).members ?? []);
  const account = who.serviceAccount === undefined ? [] : [`serviceAccount:${who.serviceAccount}`];
  if (own.length === 0) return { roles, members: account };
  return {
    roles: [...new Set(own.map((binding) => textOf(binding, "role") ?? ""))],
    members: [...new Set(members.filter((member) => typeof member === "string"))],
  };
}
