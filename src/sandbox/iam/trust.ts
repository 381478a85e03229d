import type { PolicyDocument } from "../../core/profile.js";
import { type AuthorizationQuestion, evaluatePolicies, type Verdict } from "./evaluator.js";

type Statement = Readonly<Record<string, unknown>>;

/**
 * What a trust policy says to one caller: the statements whose principal is the caller, put to the
 * evaluator as statements about the role itself.
 *
 * @param names every way the caller may be named, such as its session's ARN and its role's
 */
export function evaluateTrust(
  trust: PolicyDocument,
  names: readonly string[],
  question: AuthorizationQuestion,
): Verdict {
  const statements = statementsOf(trust).filter((statement) => namesPrincipal(statement, names));
  if (statements.length === 0) return "not allowed";
  const about = statements.map(({ Principal: _, ...rest }) => ({ ...rest, Resource: "*" }));
  return evaluatePolicies([{ ...trust, Statement: about }], question);
}

function statementsOf(policy: PolicyDocument): readonly Statement[] {
  const statements = policy["Statement"];
  return (Array.isArray(statements) ? statements : [statements]) as readonly Statement[];
}

/** `NotPrincipal` is not understood, so such a statement is nobody's. */
function namesPrincipal(statement: Statement, names: readonly string[]): boolean {
  const principal = statement["Principal"];
  if (principal === "*") return true;
  if (typeof principal !== "object" || principal === null) return false;
  return Object.values(principal)
    .flat()
    .some((listed) => listed === "*" || names.includes(String(listed)));
}
