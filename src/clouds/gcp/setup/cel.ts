import { AgentctlError } from "../../../core/errors.js";
import type { ClaimBan, ClaimTest, TrustScope } from "../../../core/trust.js";

/** Google's own limits of a provider. */
const MAX_CONDITION = 4_096;
const MAX_SUBJECT_BYTES = 127;

/** A string of the Common Expression Language, whatever is in it. */
export function celString(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u{10ffff}]/gu, (one) => {
    const code = one.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** Where in the token a claim is: `a.b` may be nested, but none of the claims that are tested is. */
function claimPath(claim: string): string {
  return /^[A-Za-z_]\w*$/.test(claim) ? `assertion.${claim}` : `assertion[${celString(claim)}]`;
}

/**
 * What a token must be like to be taken at all. A claim that is not there makes an error of the expression, and
 * Google refuses then.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function attributeCondition(scope: TrustScope, tests: readonly ClaimTest[], bans: readonly ClaimBan[]): string {
  const all = [{ claim: "sub", value: scope.subject }, ...tests];
  const terms = [
    ...all.map(({ claim, value }) => `${claimPath(claim)} == ${celString(value)}`),
    ...bans.map(({ claim, values }) => `!(${claimPath(claim)} in [${values.map(celString).join(", ")}])`),
  ];
  const condition = terms.join(" && ");
  if (condition.length <= MAX_CONDITION) return condition;
  throw new AgentctlError("CONFIG_INVALID", `the condition is longer than Google's ${MAX_CONDITION} characters`);
}

export interface MappedSubject {
  /** The CEL expression that `google.subject` is made by. */
  readonly expression: string;
  /** What it is for the caller. */
  readonly value: string;
}

/**
 * The token's own subject, or where that is longer than Google takes, the claims that say the same by ids. What is
 * protected is the condition's to ask, and no part of a name.
 * @throws {AgentctlError} CONFIG_INVALID
 */
export function mappedSubject(scope: TrustScope, tests: readonly ClaimTest[]): MappedSubject {
  if (Buffer.byteLength(scope.subject) <= MAX_SUBJECT_BYTES)
    return { expression: "assertion.sub", value: scope.subject };
  const names = tests.filter(({ claim }) => !claim.endsWith("_protected"));
  const value = names.map((test) => `${test.claim}:${test.value}`).join(":");
  const expression = names.map(({ claim }) => `${celString(`${claim}:`)} + ${claimPath(claim)}`).join(` + ":" + `);
  if (names.length > 0 && Buffer.byteLength(value) <= MAX_SUBJECT_BYTES) return { expression, value };
  throw new AgentctlError(
    "CONFIG_INVALID",
    `the subject is ${Buffer.byteLength(scope.subject)} bytes long, and Google takes ${MAX_SUBJECT_BYTES}`,
    { hint: "have the issuer make a shorter one, such as of the repository's id and the environment" },
  );
}
