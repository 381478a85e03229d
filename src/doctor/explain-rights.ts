import type { RightsSight } from "../clouds/index.js";
import { givenRights } from "../core/given-rights.js";
import type { GrantPlan } from "../core/lease.js";
import { type Finding, failWith, note, ok } from "./finding.js";
import type { CloudTrial } from "./try-grants.js";

/** Of these findings the check is called so. */
const CHECK = "rights";

/**
 * Of rights that a run would give for the time of its lease. None is given here, since some clouds take nothing back at
 * once: what stands in the way is looked for by questions alone.
 */
export function describeRights(
  { plan: { cloud }, error, sights = [] }: Pick<CloudTrial, "plan" | "error" | "sights">,
  planned: readonly Pick<GrantPlan, "cloud" | "facts">[],
): readonly Finding[] {
  const given = givenRights(planned.find((plan) => plan.cloud === cloud)?.facts ?? {});
  if (given.length === 0) return [];
  const what = given.join(", ");
  if (error !== undefined) {
    return [{ check: CHECK, ...note(`${cloud}: that ${what} can be given is not tried, since the exchange fails`) }];
  }
  const untried = `${cloud}: ${what}: giving it, and waiting until it works, is not tried: a run does that before its command starts`;
  return [...sights.map((sight) => judgeSight(sight, cloud)), note(untried)].map((finding) => ({
    check: CHECK,
    ...finding,
    facts: { ...finding.facts, cloud },
  }));
}

function judgeSight(sight: RightsSight, cloud: string): Finding {
  if ("error" in sight) {
    return { ...failWith(sight.error, cloud), status: sight.status, details: [`looked at: ${sight.text}`] };
  }
  const say = sight.status === "ok" ? ok : note;
  return say(`${cloud}: ${sight.text}`);
}
