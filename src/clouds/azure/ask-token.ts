import type { IdToken } from "../../core/identity.js";
import type { IssueContext } from "../../core/lease.js";
import type { Runtime } from "../../core/runtime.js";
import type { Secret } from "../../core/secret.js";
import { readAccessToken, readLifetimeMs } from "../exchange/access-token.js";
import { askService, type ExchangeLimits } from "../exchange/exchange.js";
import { fieldOf, type Wire } from "../exchange/wire.js";
import type { Application } from "./application.js";
import type { Authority } from "./authority.js";
import { openCredential } from "./credential.js";
import { entraService } from "./entra-service.js";

/** An access token, and its own end (this machine's clock, epoch ms). */
export interface AppToken {
  readonly token: Secret;
  readonly expiresAt: number;
}

/**
 * Trades the OIDC token for an application's access token for one scope.
 * @throws {AgentctlError} as `askService` does, and what `mintToken` throws
 */
export function askToken(
  scope: string,
  application: Application,
  authority: Authority,
  context: Pick<IssueContext, "mintToken" | "signal">,
  runtime: Runtime,
  limits: ExchangeLimits,
): Promise<AppToken> {
  const used: { token?: IdToken } = {};
  const exchange = {
    service: () => entraService(application, scope, authority, used.token),
    origins: authority.origins,
    async ask(wire: Wire) {
      // Minted anew for each try, since the one before may have expired meanwhile.
      used.token = await context.mintToken(application.audiences);
      const askedAt = runtime.now();
      const { token } = await openCredential(application, authority, used.token, wire).getToken(scope);
      // The library rounds its own account of the token's end, and takes a missing lifetime for none.
      const lifetime = wire.last?.kind === "answer" ? fieldOf(wire.last.json, "expires_in") : undefined;
      return { token: readAccessToken(token), expiresAt: askedAt + readLifetimeMs(lifetime) };
    },
  };
  return askService(exchange, context, runtime, limits);
}
