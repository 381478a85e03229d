import { AgentctlError } from "../../core/errors.js";
import type { ClaimTest, TrustScope } from "../../core/trust.js";

export interface SelectedTests {
  readonly tests: readonly ClaimTest[];
  /** Said where something that would narrow further cannot be tested. */
  readonly notes: readonly string[];
}

/**
 * Those of the scope's tests that a cloud can make.
 * @throws {AgentctlError} TRUST_TOO_WIDE when it cannot make one that is needed
 */
export function selectTests(scope: TrustScope, cloud: string, canTest: (claim: string) => boolean): SelectedTests {
  const missing = scope.needs.filter((claim) => !canTest(claim) || !scope.tests.some((test) => test.claim === claim));
  if (missing.length > 0) {
    const what = `${cloud} cannot test ${missing.join(", ")} of this issuer, and without ${missing.length === 1 ? "it" : "them"} the trust is too wide`;
    throw new AgentctlError("TRUST_TOO_WIDE", `no trust is written: ${what}`, {
      hint: "have the issuer put what narrows into the subject, which every cloud compares exactly, or pin less",
      facts: { missing },
    });
  }
  const tests = scope.tests.filter(({ claim }) => canTest(claim));
  const untested = scope.tests.filter(({ claim }) => !canTest(claim)).map(({ claim }) => claim);
  if (untested.length === 0) return { tests, notes: [] };
  const whatever = `the trust holds whatever ${untested.length === 1 ? "it says" : "they say"}`;
  const stands = tests.length === 0 ? "the subject stands alone" : whatever;
  return { tests, notes: [`${cloud} cannot test ${untested.join(", ")} of this issuer: ${stands}`] };
}
