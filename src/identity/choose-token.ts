import { AgentctlError } from "../core/errors.js";
import type { IdToken } from "../core/identity.js";
import type { Runtime } from "../core/runtime.js";
import { checkValidity, type ReadToken, readToken } from "./check-token.js";
import type { SourceAdvice, TokenCandidate } from "./source.js";
import { makeVisible } from "./visible-text.js";

/**
 * The first candidate that is for `audience` and valid now. Where none is, the error is of the one that came
 * closest: for the right audience but expired, else no token at all, else the audiences of all of them.
 * @throws {AgentctlError} TOKEN_EXPIRED, TOKEN_MALFORMED, TOKEN_AUDIENCE
 */
export function chooseToken(
  candidates: readonly TokenCandidate[],
  audience: string,
  runtime: Pick<Runtime, "now">,
  advice?: SourceAdvice,
): IdToken {
  const read: ReadToken[] = [];
  const failures: AgentctlError[] = [];
  for (const candidate of candidates) {
    try {
      const token = readToken(candidate);
      read.push(token);
      if (!token.audience.includes(audience)) continue;
      checkValidity(token, runtime.now(), advice?.whenExpired);
      return token;
    } catch (error) {
      if (!(error instanceof AgentctlError)) throw error;
      failures.push(error);
    }
  }
  throw failures.find(({ code }) => code === "TOKEN_EXPIRED") ?? failures[0] ?? wrongAudience(read, audience, advice);
}

/** Names the audience expected and those seen. */
function wrongAudience(tokens: readonly ReadToken[], audience: string, advice?: SourceAdvice): AgentctlError {
  const seen = tokens.map((token) => `${token.origin} is for ${token.audience.map(quote).join(", ") || "nobody"}`);
  const expected = quote(audience);
  return new AgentctlError("TOKEN_AUDIENCE", `no token for the audience ${expected}: ${seen.join("; ")}`, {
    hint:
      advice?.whenAudienceMissing(audience) ??
      `ask the issuer for a token whose \`aud\` is ${expected}, or correct the \`audience\` in the profile`,
    facts: {
      audienceExpected: audience,
      audiencesSeen: tokens.flatMap((token) => token.audience).map((name) => makeVisible(name)),
    },
  });
}

function quote(text: string): string {
  return `"${makeVisible(text)}"`;
}
