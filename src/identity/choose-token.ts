import { AgentctlError } from "../core/errors.js";
import type { IdToken } from "../core/identity.js";
import type { Runtime } from "../core/runtime.js";
import { checkValidity, type ReadToken, readToken } from "./check-token.js";
import type { SourceAdvice, TokenCandidate } from "./source.js";
import { makeVisible } from "./visible-text.js";

/**
 * A candidate that is for one of `audiences` and valid now: for the first of them that there is one for. Where none is,
 * the error is of the one that came closest: for the right audience but expired, else no token at all, else the
 * audiences of all of them.
 * @throws {AgentctlError} TOKEN_EXPIRED, TOKEN_MALFORMED, TOKEN_AUDIENCE
 */
export function chooseToken(
  candidates: readonly TokenCandidate[],
  audiences: readonly string[],
  runtime: Pick<Runtime, "now">,
  advice?: SourceAdvice,
): IdToken {
  const read: ReadToken[] = [];
  const failures: AgentctlError[] = [];
  for (const candidate of candidates) {
    try {
      read.push(readToken(candidate));
    } catch (error) {
      failures.push(asFailure(error));
    }
  }
  for (const token of inOrder(read, audiences)) {
    try {
      checkValidity(token, runtime.now(), advice?.whenExpired);
      return token;
    } catch (error) {
      failures.push(asFailure(error));
    }
  }
  throw failures.find(({ code }) => code === "TOKEN_EXPIRED") ?? failures[0] ?? wrongAudience(read, audiences, advice);
}

function asFailure(error: unknown): AgentctlError {
  if (error instanceof AgentctlError) return error;
  throw error;
}

/** Those that are for one of the audiences, as the audiences come. */
function inOrder(tokens: readonly ReadToken[], audiences: readonly string[]): readonly ReadToken[] {
  return audiences.flatMap((wanted) => tokens.filter(({ audience }) => audience.includes(wanted)));
}

/** Names the audience expected and those seen. */
function wrongAudience(
  tokens: readonly ReadToken[],
  audiences: readonly string[],
  advice?: SourceAdvice,
): AgentctlError {
  const seen = tokens.map((token) => `${token.origin} is for ${token.audience.map(quote).join(", ") || "nobody"}`);
  const expected = audiences.map(quote).join(" or ");
  const given = tokens.flatMap((token) => token.audience);
  return new AgentctlError("TOKEN_AUDIENCE", `no token for the audience ${expected}: ${seen.join("; ")}`, {
    hint:
      advice?.whenAudienceMissing(audiences[0] ?? "", given) ??
      `ask the issuer for a token whose \`aud\` is ${expected}, or correct the \`audience\` in the profile`,
    facts: {
      audienceExpected: audiences.join(" or "),
      audiencesSeen: given.map((name) => makeVisible(name)),
    },
  });
}

function quote(text: string): string {
  return `"${makeVisible(text)}"`;
}
