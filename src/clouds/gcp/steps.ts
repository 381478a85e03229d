import type { IdToken } from "../../core/identity.js";
import type { GrantTerms, IssueContext } from "../../core/lease.js";
import type { GcpSettings } from "../../core/profile.js";
import type { Runtime } from "../../core/runtime.js";
import { askService, type ExchangeLimits } from "../exchange/exchange.js";
import type { Wire } from "../exchange/wire.js";
import { type Endpoint, type Endpoints, impersonationUrlOf, tokenUrlOf } from "./endpoints.js";
import { type GoogleToken, readImpersonatedToken, readStsToken } from "./google-token.js";
import { PoolClient } from "./pool-client.js";
import { exchangeAudienceOf, tokenAudiencesOf } from "./provider.js";
import { CLOUD_PLATFORM } from "./scopes.js";
import { boundaryService, federationService, impersonationService } from "./services.js";

/** What every step is taken with. */
export interface Steps {
  readonly settings: GcpSettings;
  readonly endpoints: Endpoints;
  readonly context: IssueContext;
  readonly runtime: Runtime;
  readonly limits: ExchangeLimits;
}

/** The OIDC token, minted anew for each try, for a federated one. */
export async function federate(steps: Steps): Promise<{ federated: GoogleToken; used: IdToken }> {
  const { settings, endpoints, context, runtime } = steps;
  // IAM Credentials wants this scope of the token that asks it; those of the profile are the impersonated token's.
  const scopes = settings.serviceAccount === undefined ? settings.scopes : [CLOUD_PLATFORM];
  let used: IdToken | undefined;
  return ask(
    steps,
    endpoints.sts,
    () => federationService(settings, endpoints.sts, used),
    async (wire) => {
      used = await context.mintToken(tokenAudiencesOf(settings));
      const askedAt = runtime.now();
      const answer = await openClient(steps, wire, scopes, used).federate();
      return { federated: readStsToken(answer, askedAt), used };
    },
  );
}

/** A federated token for the service account's, with a lifetime of what is left until the end of the terms. */
export function impersonate(
  steps: Steps,
  serviceAccount: string,
  federated: GoogleToken,
  used: IdToken,
  terms: Pick<GrantTerms, "endsAt">,
): Promise<GoogleToken> {
  const { settings, endpoints, runtime } = steps;
  const secondsLeft = () => Math.max(1, Math.floor((terms.endsAt - runtime.now()) / 1000));
  const from = { token: used, federated: federated.token };
  const service = () => impersonationService(settings, endpoints.iamCredentials, from, secondsLeft());
  return ask(steps, endpoints.iamCredentials, service, async (wire) => {
    const url = impersonationUrlOf(endpoints, serviceAccount);
    const request = { scope: settings.scopes, lifetime: `${secondsLeft()}s` };
    const answer = await openClient(steps, wire, settings.scopes, used).impersonate(url, federated.token, request);
    return readImpersonatedToken(answer, wire.last, runtime.now());
  });
}

/** A token for one that can do no more than the access boundary allows. */
export function narrow(steps: Steps, wide: GoogleToken, used: IdToken): Promise<GoogleToken> {
  const { settings, endpoints, runtime } = steps;
  const service = () => boundaryService(settings, endpoints.sts, used, wide.token);
  return ask(steps, endpoints.sts, service, async (wire) => {
    const askedAt = runtime.now();
    const answer = await openClient(steps, wire, settings.scopes, used).narrow(wide.token, settings.accessBoundary);
    return readStsToken(answer, askedAt, wide.expiresAt);
  });
}

function ask<T>(
  { context, runtime, limits }: Steps,
  endpoint: Endpoint,
  service: () => ReturnType<typeof federationService>,
  question: (wire: Wire) => Promise<T>,
): Promise<T> {
  const origins = [new URL(endpoint.baseUrl).origin];
  return askService({ service, origins, ask: question }, context, runtime, limits);
}

function openClient({ settings, endpoints }: Steps, wire: Wire, scopes: readonly string[], used: IdToken): PoolClient {
  const audience = exchangeAudienceOf(settings);
  return new PoolClient({ tokenUrl: tokenUrlOf(endpoints), audience, scopes, subjectToken: used.token }, wire);
}
