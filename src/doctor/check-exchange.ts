import type { AgentctlError } from "../core/errors.js";
import type { IdentityInspection, TokenFinding } from "../identity/index.js";
import type { Check } from "./check.js";
import { compareClaims, describeClaim } from "./compare-claims.js";
import { type Examination, NotTried } from "./examination.js";
import { findFailingStep } from "./failing-step.js";
import { type Finding, failWith, ok, warn } from "./finding.js";
import { type CloudTrial, tryGrants } from "./try-grants.js";

export const checkExchange: Check = {
  name: "exchange",
  async run(examination) {
    const trial = await examination.trial();
    const { tokens } = await identityOf(examination);
    const trials = await tryGrants(trial, examination);
    return trials.map((each) => judgeTrial(each, tokens));
  },
};

/** Without one every cloud would fail alike; why there is none is told by the check of it. @throws {NotTried} */
function identityOf(examination: Examination): Promise<IdentityInspection> {
  return examination.identity().catch(() => {
    throw new NotTried("there is no identity");
  });
}

function judgeTrial(trial: CloudTrial, tokens: readonly TokenFinding[]): Finding {
  const { plan, grant, ending, error, tookMs } = trial;
  if (error !== undefined) return explainFailure(trial, error, tokens);
  const principal = grant?.principal ?? plan.principal;
  const seconds = (tookMs / 1000).toFixed(1);
  const end = ending === undefined ? "" : `; ${ending.word} at ${ending.at}`;
  const message = `${plan.cloud}: ${principal}, granted in ${seconds} s and given up${end}`;
  if (ending?.word === "failed") return warn("CLOUD_DENIED", `${message}: ${ending.detail}`);
  return ok(message, { cloud: plan.cloud, principal, ...(ending !== undefined && { ending: ending.word }) });
}

/** What failed, at which step, and the claims that the cloud compares. */
function explainFailure({ plan }: CloudTrial, error: AgentctlError, tokens: readonly TokenFinding[]): Finding {
  const step = findFailingStep(error, plan);
  const claims = compareClaims(plan, error, tokens);
  // The cloud's own refusals name it already.
  const failed = failWith(error, error.facts["cloud"] === undefined ? plan.cloud : "");
  return {
    ...failed,
    details: [`step: ${step}`, ...claims.map((claim) => `claim: ${describeClaim(claim)}`)],
    facts: { ...failed.facts, cloud: plan.cloud, step, claims },
  };
}
