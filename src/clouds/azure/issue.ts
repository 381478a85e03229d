import { formatInstant } from "../../core/durations.js";
import type { IdToken } from "../../core/identity.js";
import type { Grant, GrantTerms, IssueContext } from "../../core/lease.js";
import type { AzureSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import type { Secret } from "../../core/secret.js";
import { readAccessToken, readLifetimeMs } from "../exchange/access-token.js";
import { askService, EXCHANGE_LIMITS, type ExchangeLimits } from "../exchange/exchange.js";
import { earlyEndNotice } from "../exchange/notice.js";
import { fieldOf, type Wire } from "../exchange/wire.js";
import { type Authority, resolveAuthority } from "./authority.js";
import { openCredential } from "./credential.js";
import { entraService } from "./entra-service.js";
import { principalOf } from "./plan.js";
import { readScopes, type ScopedToken } from "./scopes.js";
import { grantVariables } from "./variables.js";

interface IssuedToken extends ScopedToken {
  readonly token: Secret;
  readonly expiresAt: number;
}

/**
 * Trades the OIDC token for an access token for each scope of the profile, side by side, all or nothing.
 * @throws {AgentctlError} as `askService` and `planAzureGrant` do, and what `mintToken` throws
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
      asked.map((scoped) => askToken(scoped, settings, authority, shared, runtime, limits)),
    );
    return grantOf(settings, terms, tokens, authority, issuedAt);
  } finally {
    others.abort();
  }
}

function askToken(
  scoped: ScopedToken,
  settings: AzureSettings,
  authority: Authority,
  context: IssueContext,
  runtime: Runtime,
  limits: ExchangeLimits,
): Promise<IssuedToken> {
  const used: { token?: IdToken } = {};
  const exchange = {
    service: () => entraService(settings, scoped.scope, authority, used.token),
    origins: authority.origins,
    async ask(wire: Wire) {
      // Minted anew for each try, since the one before may have expired meanwhile.
      used.token = await context.mintToken(settings.audiences);
      const askedAt = runtime.now();
      const { token } = await openCredential(settings, authority, used.token, wire).getToken(scoped.scope);
      // The library rounds its own account of the token's end, and takes a missing lifetime for none.
      const lifetime = wire.last?.kind === "answer" ? fieldOf(wire.last.json, "expires_in") : undefined;
      return { ...scoped, token: readAccessToken(token), expiresAt: askedAt + readLifetimeMs(lifetime) };
    },
  };
  return askService(exchange, context, runtime, limits);
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
