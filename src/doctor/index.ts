import { toAgentctlError } from "../core/errors.js";
import type { Runtime } from "../core/runtime.js";
import type { Check } from "./check.js";
import { checkAudit } from "./check-audit.js";
import { checkClock } from "./check-clock.js";
import { checkConfig } from "./check-config.js";
import { checkEndpoints } from "./check-endpoints.js";
import { checkExchange } from "./check-exchange.js";
import { checkIdentity } from "./check-identity.js";
import { checkKeychain } from "./check-keychain.js";
import { checkLeases } from "./check-leases.js";
import { checkNode } from "./check-node.js";
import { checkProxy } from "./check-proxy.js";
import { checkState } from "./check-state.js";
import { checkTools } from "./check-tools.js";
import { type DoctorRequest, examine, NotTried } from "./examination.js";
import { type CheckFinding, failWith, note } from "./finding.js";

export type { DoctorRequest } from "./examination.js";
export type { CheckFinding, FindingStatus } from "./finding.js";

/** The one list of checks. What others rest on comes first, so that the first failure is the one to mend. */
const CHECKS: readonly Check[] = [
  checkNode,
  checkState,
  checkAudit,
  checkLeases,
  checkConfig,
  checkEndpoints,
  checkProxy,
  checkIdentity,
  checkKeychain,
  checkClock,
  checkExchange,
  checkTools,
];

/**
 * Makes every check, whatever became of those before it, and tells each finding as soon as it is there.
 * @throws {AgentctlError} INTERRUPTED, and nothing else
 */
export async function runDoctor(
  request: DoctorRequest,
  tell: (finding: CheckFinding) => void,
  runtime: Runtime,
  checks: readonly Check[] = CHECKS,
): Promise<readonly CheckFinding[]> {
  const examination = examine(request, runtime);
  const told: CheckFinding[] = [];
  for (const check of checks) {
    for (const finding of await runCheck(check, examination)) {
      told.push({ check: check.name, ...finding });
      tell({ check: check.name, ...finding });
    }
  }
  return told;
}

async function runCheck(check: Check, examination: ReturnType<typeof examine>) {
  try {
    return await check.run(examination);
  } catch (thrown) {
    if (thrown instanceof NotTried) return [note(`not tried: ${thrown.message}`, thrown.hint)];
    const error = toAgentctlError(thrown);
    if (error.code === "INTERRUPTED") throw error;
    return [failWith(error)];
  }
}
