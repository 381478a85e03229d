import { formatInstant } from "../../core/durations.js";
import type { Grant, GrantTerms, IssueContext } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../exchange/exchange.js";
import { earlyEndNotice } from "../exchange/notice.js";
import { type AppToken, askToken } from "./ask-token.js";
import { type Authority, resolveAuthority } from "./authority.js";
import { principalOf } from "./plan.js";
import { readScopes, type ScopedToken } from "./scopes.js";
import { grantVariables } from "./variables.js";

type IssuedToken = ScopedToken & AppToken;

/**
 * Trades the OIDC token for an access token for each scope of the profile, side by side, all or nothing.
 * @throws {AgentctlError} as `askToken` and `planAzureGrant` do, and what `mintToken` throws
 */
export async function issueAzureGrant(
  settings: AzureSettings,
  terms: GrantTerms,
  context: IssueContext,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<Grant> {
  const authority = resolveAuthority(runtime);
  const issuedAt = runtime.now();
  const others = new AbortController();
  const shared = { ...context, signal: AbortSignal.any([context.signal, others.signal]) };
  try {
    const asked = readScopes(settings.scopes);
    const tokens = await Promise.all(
      asked.map(async (scoped) => ({
        ...scoped,
        ...(await askToken(scoped.scope, settings, authority, shared, runtime, limits)),
      })),
    );
    return grantOf(settings, terms, tokens, authority, issuedAt);
  } finally {
    others.abort();
  }
}

/** Tools are told of the first token's end; the grant is over with the last's. */
function grantOf(
  settings: AzureSettings,
  terms: GrantTerms,
  tokens: readonly IssuedToken[],
  authority: Authority,
  issuedAt: number,
): Grant {
  const ends = tokens.map(({ expiresAt }) => expiresAt);
  const usableUntil = Math.min(...ends);
  const notice = earlyEndNotice("Azure", usableUntil, terms);
  return {
    cloud: "azure",
    channel: terms.channel,
    principal: principalOf(settings),
    issuedAt,
    usableUntil,
    expiresAt: Math.max(...ends),
    variables: grantVariables(settings, tokens, terms.channel),
    secrets: Object.fromEntries(
      tokens.map(({ scope, token, expiresAt }) => [scope, { value: token, usableUntil: expiresAt }]),
    ),
    facts: {
      tenant: settings.tenantId,
      client: settings.clientId,
      authority: authority.url,
      tokens: tokens.map(({ scope, expiresAt }) => `${scope} until ${formatInstant(expiresAt)}`),
      ...(notice !== undefined && { notice }),
    },
  };
}
