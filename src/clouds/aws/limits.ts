import type { RetryRules } from "../../core/retry.js";
import { isTransient, retryAfterMs } from "./service-failure.js";

/** How long a service of AWS is waited for, and how often it is asked. */
export interface ExchangeLimits {
  readonly attempts: number;
  readonly connectMs: number;
  /** One whole exchange, the answer's last byte included. */
  readonly exchangeMs: number;
}

export const EXCHANGE_LIMITS: ExchangeLimits = { attempts: 4, connectMs: 3_000, exchangeMs: 10_000 };

const BASE_DELAY_MS = 200;
const MAX_DELAY_MS = 2_000;

/** The rules by which a question to AWS is asked again. */
export function retryRules(limits: Pick<ExchangeLimits, "attempts">, signal: AbortSignal): RetryRules {
  const { attempts } = limits;
  return { attempts, baseDelayMs: BASE_DELAY_MS, maxDelayMs: MAX_DELAY_MS, isTransient, retryAfterMs, signal };
}
