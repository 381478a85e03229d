import { DecodeAuthorizationMessageCommand } from "@aws-sdk/client-sts";
import type { Grant } from "../../../core/lease.js";
import { withRetries } from "../../../core/retry.js";
import type { Runtime } from "../../../core/runtime.js";
import { grantSecret } from "../../grant-secret.js";
import { withinTime } from "../../within-time.js";
import { resolveEndpoint } from "../endpoint.js";
import { type ExchangeLimits, retryRules } from "../limits.js";
import { plainCode, readServiceFailure } from "../service-failure.js";
import { openStsClient } from "../sts-client.js";

/**
 * What a call with the lease's own keys showed: an explicit deny as the role's policies give it; one of another kind
 * of policy; that the call is judged otherwise; or nothing.
 */
export type Seen = "denied" | "denied-elsewhere" | "open" | "nothing";

/** Asks AWS by the lease's own session, to see whether it is refused. Never throws. */
export interface Probe {
  ask(signal: AbortSignal): Promise<Seen>;
  close(): void;
}

/** No message that AWS ever encoded: who may ask is told that it is none. */
const NO_MESSAGE = "agentctl";
const EXPLICIT = /with an explicit deny/i;
/** The policy's ARN may follow. Before AWS named kinds, and between organizations, it says no more than `explicit deny`. */
const OF_THE_ROLE = /with an explicit deny(?! in (?!(an? |the )?identity-based))/i;

/**
 * The call is DecodeAuthorizationMessage at the lease's own STS: no fence denies it, it is authorized before anything is
 * decoded, and it changes nothing. (GetCallerIdentity would not do: nothing can deny that.)
 * @throws {AgentctlError} ENDPOINT_INVALID, CONFIG_INVALID, DEFECT for a grant without keys
 */
export function openProbe(grant: Grant, stsRegion: string, runtime: Runtime, limits: ExchangeLimits): Probe {
  const part = (name: string) => grantSecret(grant, name).value;
  const keys = {
    accessKeyId: part("accessKeyId"),
    secretAccessKey: part("secretAccessKey"),
    sessionToken: part("sessionToken"),
  };
  const clockAheadMs = Number(grant.facts["clockSkewSeconds"] ?? 0) * 1000;
  const options = { keys, clockAheadMs, connectMs: limits.connectMs };
  const client = openStsClient(resolveEndpoint("STS", stsRegion, runtime), options, runtime);
  const question = () => new DecodeAuthorizationMessageCommand({ EncodedMessage: NO_MESSAGE });
  return {
    async ask(signal) {
      const once = () =>
        withinTime(limits.exchangeMs, signal, (abortSignal) => client.send(question(), { abortSignal }));
      try {
        await withRetries(once, retryRules(limits, signal), runtime);
        return "open";
      } catch (error) {
        return signal.aborted ? "nothing" : readRefusal(error);
      }
    },
    close: () => client.destroy(),
  };
}

/** What a refusal of the call says of the session. */
export function readRefusal(thrown: unknown): Seen {
  const failure = readServiceFailure(thrown);
  if (failure.kind !== "answer") return "nothing";
  switch (plainCode(failure.code)) {
    case "InvalidAuthorizationMessage":
      return "open";
    case "AccessDenied":
      if (!EXPLICIT.test(failure.text)) return "open";
      return OF_THE_ROLE.test(failure.text) ? "denied" : "denied-elsewhere";
    default:
      return "nothing";
  }
}
