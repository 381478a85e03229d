import { AgentctlError } from "../core/errors.js";
import type { Identity } from "../core/identity.js";
import { makeVisible } from "./visible-text.js";

const CLAIMS = [
  { claim: "iss", field: "issuer" },
  { claim: "sub", field: "subject" },
] as const;

/**
 * Makes sure that an identity acquired again is still the one that the lease was decided on: a file may since hold
 * somebody else's token.
 * @throws {AgentctlError} IDENTITY_DENIED, which names the claim that changed
 */
export function requireSameCaller(
  first: Pick<Identity, "issuer" | "subject">,
  again: Pick<Identity, "issuer" | "subject">,
): void {
  for (const { claim, field } of CLAIMS) {
    if (first[field] === again[field]) continue;
    const [expected, seen] = [makeVisible(first[field]), makeVisible(again[field])];
    throw new AgentctlError(
      "IDENTITY_DENIED",
      `the identity is no longer the one of the lease: its \`${claim}\` was "${expected}" and is now "${seen}"`,
      {
        hint: "a lease stays with the identity that it began with: run the command again",
        facts: { claim, expected, seen },
      },
    );
  }
}
