import type { AgentctlError } from "../core/errors.js";
import type { TokenFinding } from "../identity/index.js";
import { compareClaims, describeClaim } from "./compare-claims.js";
import type { Trial } from "./examination.js";
import { describeRevoker, isOfRevoker, isOfRevokersTrust, wouldPass } from "./explain-revoker.js";
import { describeRights } from "./explain-rights.js";
import { findFailingStep } from "./failing-step.js";
import { type Finding, failWith, ok, warn } from "./finding.js";
import type { CloudTrial } from "./try-grants.js";

/** What came of one cloud, and of what would take its grant back. */
export function judgeTrial(
  tried: CloudTrial,
  trial: Pick<Trial, "profile" | "revoke"> & { readonly run: Pick<Trial["run"], "plans"> },
  tokens: readonly TokenFinding[],
): readonly Finding[] {
  const { plan, error } = tried;
  const rights = describeRights(tried, trial.run.plans);
  if (error !== undefined) return [explainFailure(tried, error, trial, tokens), ...rights];
  return [judgeEnding(tried), ...describeRevoker(plan), ...rights];
}

function judgeEnding({ plan, grant, ending, tookMs }: CloudTrial): Finding {
  const principal = grant?.principal ?? plan.principal;
  const seconds = (tookMs / 1000).toFixed(1);
  const end = ending === undefined ? "" : `; ${ending.word} at ${ending.at}`;
  const message = `${plan.cloud}: ${principal}, granted in ${seconds} s and given up${end}`;
  if (ending?.word === "failed") return warn("NOT_TAKEN_BACK", `${message}: ${ending.detail}`);
  return ok(message, { cloud: plan.cloud, principal, ...(ending !== undefined && { ending: ending.word }) });
}

/** What failed, at which step, and the claims that the cloud compares, where it was they that were refused. */
function explainFailure(
  { plan }: CloudTrial,
  error: AgentctlError,
  trial: Pick<Trial, "profile" | "revoke">,
  tokens: readonly TokenFinding[],
): Finding {
  const isRevoker = isOfRevoker(error, plan);
  const step = findFailingStep(error, plan);
  const claims = isRevoker && !isOfRevokersTrust(error, plan) ? [] : compareClaims(plan, error, tokens);
  // The cloud's own refusals name it already.
  const failed = failWith(error, error.facts["cloud"] === undefined ? plan.cloud : "");
  const passes = isRevoker && wouldPass(error, trial);
  return {
    ...failed,
    ...(passes && { status: "warn", message: `${failed.message}; a run goes on, and ends its session by the fence` }),
    details: [`step: ${step}`, ...claims.map((claim) => `claim: ${describeClaim(claim)}`)],
    facts: { ...failed.facts, cloud: plan.cloud, step, claims },
  };
}
