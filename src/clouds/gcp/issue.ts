import type { IdToken } from "../../core/identity.js";
import type { Grant, GrantTerms, IssueContext } from "../../core/lease.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { EXCHANGE_LIMITS, type ExchangeLimits } from "../exchange/exchange.js";
import { earlyEndNotice } from "../exchange/notice.js";
import { resolveEndpoints } from "./endpoints.js";
import type { GoogleToken } from "./google-token.js";
import { principalOf } from "./provider.js";
import { federate, impersonate, narrow, type Steps } from "./steps.js";
import { grantVariables } from "./variables.js";

/**
 * Trades the OIDC token for a federated token, that for the service account's when there is one, and that for one
 * within the access boundary when there is one.
 * @throws {AgentctlError} as `askService` and `planGcpGrant` do, and what `mintToken` throws
 */
export async function issueGcpGrant(
  settings: GcpSettings,
  terms: GrantTerms,
  context: IssueContext,
  runtime: Runtime,
  limits: ExchangeLimits = EXCHANGE_LIMITS,
): Promise<Grant> {
  const issuedAt = runtime.now();
  const steps: Steps = { settings, endpoints: resolveEndpoints(runtime), context, runtime, limits };
  const { federated, used } = await federate(steps);
  const own = await impersonateIfAsked(steps, federated, used, terms);
  const final = settings.accessBoundary.length > 0 ? await narrow(steps, own, used) : own;
  return grantOf(settings, terms, final, used, issuedAt);
}

async function impersonateIfAsked(
  steps: Steps,
  federated: GoogleToken,
  used: IdToken,
  terms: GrantTerms,
): Promise<GoogleToken> {
  const { serviceAccount } = steps.settings;
  return serviceAccount === undefined ? federated : impersonate(steps, serviceAccount, federated, used, terms);
}

function grantOf(settings: GcpSettings, terms: GrantTerms, final: GoogleToken, used: IdToken, issuedAt: number): Grant {
  const notice = earlyEndNotice("Google Cloud", final.expiresAt, terms);
  return {
    cloud: "gcp",
    channel: terms.channel,
    principal: principalOf(settings),
    issuedAt,
    usableUntil: final.expiresAt,
    expiresAt: final.expiresAt,
    variables: grantVariables(settings, final.token, terms.channel),
    secrets: { token: { value: final.token, usableUntil: final.expiresAt } },
    facts: {
      provider: settings.workloadIdentityProvider,
      subject: used.subject,
      token: settings.serviceAccount === undefined ? "federated" : "impersonated",
      lifetimeSeconds: Math.round((final.expiresAt - issuedAt) / 1000),
      scopes: settings.scopes,
      boundaryRules: settings.accessBoundary.length,
      ...(notice !== undefined && { notice }),
    },
  };
}
