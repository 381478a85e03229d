import type { AgentctlError } from "../core/errors.js";
import type { GrantPlan } from "../core/lease.js";
import type { TokenFinding } from "../identity/index.js";

/** What a claim is, beside what the profile expects of it, where it expects something. */
export interface ClaimComparison {
  readonly claim: string;
  readonly actual: string;
  readonly expected?: string;
  readonly matches?: boolean;
}

/** The three that every cloud's trust rests on. What issuer and subject ought to be stands in the cloud alone. */
export function compareClaims(
  plan: Pick<GrantPlan, "audiences">,
  error: AgentctlError,
  tokens: readonly TokenFinding[],
): readonly ClaimComparison[] {
  const expected = plan.audiences.join(" or ");
  const token = tokens.find(({ wanted }) => wanted === expected)?.token;
  const seen = error.facts["audiencesSeen"];
  const audiences = token?.audience ?? (Array.isArray(seen) ? seen.map(String) : undefined);
  const compared: ClaimComparison[] = [];
  if (audiences !== undefined) {
    const actual = audiences.length === 0 ? "nobody" : audiences.join(", ");
    const matches = plan.audiences.some((one) => audiences.includes(one));
    compared.push({ claim: "aud", actual, expected, matches });
  }
  if (token === undefined) return compared;
  return [...compared, { claim: "iss", actual: token.issuer }, { claim: "sub", actual: token.subject }];
}

/** Such as `aud other, and the profile expects sts.amazonaws.com`. */
export function describeClaim({ claim, actual, expected, matches }: ClaimComparison): string {
  if (expected === undefined) return `${claim} ${actual}`;
  return `${claim} ${actual}, ${matches === true ? "as the profile expects" : `and the profile expects ${expected}`}`;
}
