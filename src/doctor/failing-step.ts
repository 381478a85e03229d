import type { AgentctlError } from "../core/errors.js";
import type { GrantPlan } from "../core/lease.js";
import { isOfRevoker, revokerStep } from "./explain-revoker.js";

/** These are of the token that the cloud is to be shown: the cloud was not asked at all. */
const BEFORE_THE_CLOUD = /^(TOKEN_|NO_IDENTITY$|IDENTITY_DENIED$)/;

/** Words of an error that tell which of Google's three exchanges it came of, and of the step that is that exchange. */
const GOOGLE_STEPS: readonly (readonly [RegExp, RegExp])[] = [
  [/IAM Credentials/, /impersonate/],
  [/access boundary/, /access boundary/],
];

/** Which of the plan's steps failed, in the plan's words. */
export function findFailingStep(error: AgentctlError, plan: GrantPlan): string {
  if (BEFORE_THE_CLOUD.test(error.code)) return `get a token for the audience ${plan.audiences.join(" or ")}`;
  if (isOfRevoker(error, plan)) return revokerStep(plan);
  const { role, scope } = error.facts;
  const named = role ?? scope;
  const steps = plan.steps;
  const google = GOOGLE_STEPS.find(([words]) => words.test(error.message))?.[1];
  const found = steps.find((step) => (typeof named === "string" && step.includes(named)) || google?.test(step));
  return found ?? steps[0] ?? plan.principal;
}
