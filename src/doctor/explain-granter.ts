import { givenRights } from "../core/given-rights.js";
import { type Finding, fail, note, ok } from "./finding.js";
import type { CloudTrial } from "./try-grants.js";

/**
 * Of rights that are given for the time of a lease. A trial gives none, since some clouds take nothing back at once;
 * but ending it looks for what may have been given, as the granter.
 */
export function describeGranter({ plan, ending }: Pick<CloudTrial, "plan" | "ending">): readonly Finding[] {
  const given = givenRights(plan.facts);
  if (given.length === 0) return [];
  const { cloud, facts } = plan;
  const whose = facts["granter"] === undefined ? "its own principal" : `granter ${facts["granter"]}`;
  if (ending?.word === "failed") {
    const what = `${cloud}: ${whose} could not look where ${given.join(", ")} would be given: ${ending.shortfall ?? ending.detail}`;
    return [
      fail("NOT_TAKEN_BACK", what, `agentctl setup ${cloud} describes what it may do; a run stops before its command`),
    ];
  }
  const looked = ending?.steps ?? [];
  const seen = looked.length === 0 ? `${whose} is not tried` : `${whose} can be used`;
  const untried = `that ${given.join(", ")} can be given, and when it works, is not tried: a run gives it before its command starts`;
  const finding =
    looked.length === 0 ? note(`${cloud}: ${seen}; ${untried}`) : ok(`${cloud}: ${seen}; ${untried}`, { cloud });
  return [{ ...finding, details: looked.map(({ text }) => text) }];
}
