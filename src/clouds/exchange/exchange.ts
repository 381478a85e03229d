import { AgentctlError } from "../../core/errors.js";
import type { IssueContext } from "../../core/lease.js";
import { explainDirectness } from "../../core/proxy-variables.js";
import { withRetries } from "../../core/retry.js";
import type { Runtime } from "../../core/runtime.js";
import { explainTry, FailedTry, type Service } from "./failed-try.js";
import { openWire, type Wire } from "./wire.js";

/** How long a service is waited for, and how often it is asked. */
export interface ExchangeLimits {
  /** The first try included. */
  readonly attempts: number;
  /** One whole request, the answer's last byte included. */
  readonly requestMs: number;
}

export const EXCHANGE_LIMITS: ExchangeLimits = { attempts: 4, requestMs: 10_000 };

const BASE_DELAY_MS = 200;
const MAX_DELAY_MS = 2_000;

/** One question to a cloud's token service, by way of the cloud's own library. */
export interface Exchange<T> {
  /** Asked for after a try has failed, so that it can tell of the token that was used. */
  readonly service: () => Service;
  /** Where it may send anything. */
  readonly origins: readonly string[];
  /** The longest answer; absent: what no token service's answer is. */
  readonly maxBytes?: number;
  /** One try. Its wire is of this try alone, and so should be every client: they remember refusals and tokens. */
  readonly ask: (wire: Wire) => Promise<T>;
}

/**
 * Asks again on throttling, 5xx, timeouts and cut connections, never on a refusal.
 * @throws {AgentctlError} CLOUD_DENIED, UNREACHABLE, THROTTLED, SERVICE_FAILED, BAD_ANSWER, INTERRUPTED, and
 *   any that `ask` throws
 */
export async function askService<T>(
  exchange: Exchange<T>,
  context: Pick<IssueContext, "signal">,
  runtime: Runtime,
  limits: ExchangeLimits,
): Promise<T> {
  const { signal } = context;
  try {
    return await withRetries(
      () => tryOnce(exchange, signal, runtime, limits),
      {
        attempts: limits.attempts,
        baseDelayMs: BASE_DELAY_MS,
        maxDelayMs: MAX_DELAY_MS,
        isTransient: (error) => error instanceof FailedTry && error.isTransient,
        retryAfterMs: (error) => (error instanceof FailedTry ? error.retryAfterMs : undefined),
        signal,
      },
      runtime,
    );
  } catch (error) {
    if (signal.aborted) throw interruption(signal);
    throw error instanceof FailedTry ? explainDirectness(error.error, runtime.env) : error;
  }
}

async function tryOnce<T>(
  exchange: Exchange<T>,
  signal: AbortSignal,
  runtime: Runtime,
  limits: ExchangeLimits,
): Promise<T> {
  const { origins, maxBytes } = exchange;
  const size = maxBytes !== undefined && { maxBytes };
  const wire = openWire({ origins, timeoutMs: limits.requestMs, signal, ...size }, runtime);
  try {
    return await exchange.ask(wire);
  } catch (thrown) {
    if (thrown instanceof AgentctlError) throw thrown;
    throw explainTry(thrown, wire.last, exchange.service());
  }
}

function interruption(signal: AbortSignal): AgentctlError {
  if (signal.reason instanceof AgentctlError) return signal.reason;
  return new AgentctlError("INTERRUPTED", "interrupted while a cloud was asked");
}
