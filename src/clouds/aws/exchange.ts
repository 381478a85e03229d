import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import { fittingAudience } from "../../core/audience.js";
import type { IdToken } from "../../core/identity.js";
import type { IssueContext } from "../../core/lease.js";
import { explainDirectness } from "../../core/proxy-variables.js";
import { withRetries } from "../../core/retry.js";
import type { Runtime } from "../../core/runtime.js";
import type { Secret } from "../../core/secret.js";
import { withinTime } from "../within-time.js";
import { type AssumedSession, readAssumedSession, type SessionKeys } from "./assumed-session.js";
import type { ServiceEndpoint } from "./endpoint.js";
import { explainStsFailure } from "./errors.js";
import type { Hop } from "./hops.js";
import { type ExchangeLimits, retryRules } from "./limits.js";
import type { Asker } from "./refusals.js";
import { interruptionOf } from "./service-errors.js";
import { openStsClient } from "./sts-client.js";

/** One question to STS. */
export interface Exchange {
  readonly hop: Pick<Hop, "roleArn" | "externalId" | "durationSeconds" | "policyArns">;
  readonly policy: string;
  readonly sessionName: string;
  readonly audiences: readonly string[];
  /** The session of the hop before; absent for the first, which is asked with the OIDC token. */
  readonly from?: { readonly roleArn: string; readonly keys: SessionKeys };
  /** How far STS's clock is known to be ahead of this machine's. */
  readonly clockAheadMs: number;
  readonly endpoint: ServiceEndpoint;
  readonly limits: ExchangeLimits;
}

/** What STS gave, and the middle of the exchange by this machine's clock. */
export interface Answered {
  readonly session: AssumedSession;
  readonly askedAt: number;
}

/**
 * Asks STS for one hop's session: again on throttling, 5xx, timeouts and cut connections, never on a
 * refusal. The token is minted anew for each try, since the one before may have expired meanwhile.
 * @throws {AgentctlError} CLOUD_DENIED, POLICY_*, CONFIG_INVALID, ENDPOINT_INVALID, UNREACHABLE, THROTTLED,
 *   SERVICE_FAILED, BAD_ANSWER, INTERRUPTED, and what `mintToken` throws
 */
export async function assumeHop(exchange: Exchange, context: IssueContext, runtime: Runtime): Promise<Answered> {
  const { from, clockAheadMs, limits } = exchange;
  const options = { ...(from !== undefined && { keys: from.keys }), clockAheadMs, connectMs: limits.connectMs };
  const client = openStsClient(exchange.endpoint, options, runtime);
  const used: { token?: IdToken } = {};
  try {
    return await withRetries(
      () => askOnce(client, exchange, context, runtime, used),
      retryRules(limits, context.signal),
      runtime,
    );
  } catch (error) {
    if (context.signal.aborted) throw interruptionOf(context.signal, exchange.endpoint);
    const asker = askerOf(exchange, used.token);
    const { hop, endpoint } = exchange;
    const attempt = { roleArn: hop.roleArn, endpoint, asker, secrets: secretsOf(exchange, used.token) };
    throw explainDirectness(explainStsFailure(error, attempt), runtime.env);
  } finally {
    client.destroy();
  }
}

async function askOnce(
  client: STSClient,
  exchange: Exchange,
  context: IssueContext,
  runtime: Runtime,
  used: { token?: IdToken },
): Promise<Answered> {
  const { hop, sessionName, policy, from } = exchange;
  const common = {
    RoleArn: hop.roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: hop.durationSeconds,
    Policy: policy,
    ...(hop.policyArns.length > 0 && { PolicyArns: hop.policyArns.map((arn) => ({ arn })) }),
  };
  if (from === undefined) used.token = await context.mintToken(exchange.audiences);
  const token = used.token?.token.reveal();
  const external = hop.externalId === undefined ? {} : { ExternalId: hop.externalId };
  const startedAt = runtime.now();
  const answer = await withinTime(exchange.limits.exchangeMs, context.signal, async (abortSignal) =>
    token === undefined
      ? client.send(new AssumeRoleCommand({ ...common, ...external }), { abortSignal })
      : client.send(new AssumeRoleWithWebIdentityCommand({ ...common, WebIdentityToken: token }), { abortSignal }),
  );
  const askedAt = (startedAt + runtime.now()) / 2;
  return { session: readAssumedSession(answer, hop.roleArn), askedAt };
}

function askerOf(exchange: Exchange, token: IdToken | undefined): Asker {
  if (exchange.from !== undefined) return { kind: "session", roleArn: exchange.from.roleArn };
  return { kind: "token", token, audience: fittingAudience(token ?? { audience: [] }, exchange.audiences) };
}

function secretsOf(exchange: Exchange, token: IdToken | undefined): readonly Secret[] {
  const keys = exchange.from?.keys;
  const ofKeys = keys === undefined ? [] : [keys.sessionToken, keys.secretAccessKey, keys.accessKeyId];
  return token === undefined ? ofKeys : [token.token, ...ofKeys];
}
