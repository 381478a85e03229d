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
  /** The longest pause that a service may ask for; absent: as long as one of ours. */
  readonly longestAskedMs?: number;
}

export const EXCHANGE_LIMITS: ExchangeLimits = { attempts: 4, requestMs: 10_000 };

/** For what is taken back: about a quarter of a minute of a cloud that is away, and as long as it asks to be left alone. */
export const PATIENT_LIMITS: ExchangeLimits = { ...EXCHANGE_LIMITS, attempts: 16, longestAskedMs: 20_000 };

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
  /** A try that is under way is not cut off by the signal: what it writes must not land unknown. */
  readonly isFinished?: boolean;
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
  let heard: FailedTry | undefined;
  try {
    return await withRetries(
      () => tryOnce(exchange, exchange.isFinished === true ? undefined : signal, runtime, limits),
      {
        attempts: limits.attempts,
        baseDelayMs: BASE_DELAY_MS,
        maxDelayMs: MAX_DELAY_MS,
        ...(limits.longestAskedMs !== undefined && { maxAskedMs: limits.longestAskedMs }),
        isTransient: (error) => {
          if (!(error instanceof FailedTry && error.isTransient)) return false;
          heard = error;
          return true;
        },
        retryAfterMs: (error) => (error instanceof FailedTry ? error.retryAfterMs : undefined),
        signal,
      },
      runtime,
    );
  } catch (error) {
    if (signal.aborted) throw interruption(signal, heard);
    throw error instanceof FailedTry ? explainDirectness(error.error, runtime.env) : error;
  }
}

async function tryOnce<T>(
  exchange: Exchange<T>,
  signal: AbortSignal = new AbortController().signal,
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

/** Where it is the time that is over, with what the service said last: that is why. */
function interruption({ reason }: AbortSignal, heard: FailedTry | undefined): AgentctlError {
  if (reason instanceof AgentctlError) {
    const { code, message, hint = "", facts } = reason;
    if (code !== "UNREACHABLE" || heard === undefined) return reason;
    return new AgentctlError(code, `${message}: ${heard.error.message}`, { facts, ...(hint !== "" && { hint }) });
  }
  return new AgentctlError("INTERRUPTED", "interrupted while a cloud was asked");
}
