import type { Runtime } from "./runtime.js";

export interface RetryRules {
  /** The first try included. */
  readonly attempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** The longest pause that a service may ask for; absent: `maxDelayMs`. */
  readonly maxAskedMs?: number;
  /** Whether this failure may pass; and how long the service asked to be left alone, if it did. */
  readonly isTransient: (error: unknown) => boolean;
  readonly retryAfterMs?: (error: unknown) => number | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Tries again on failures that may pass, after a random part of an exponentially growing pause
 * ("full jitter"), so that many callers throttled together do not come back together.
 * A service's own Retry-After is honoured up to `maxAskedMs`.
 */
export async function withRetries<T>(
  operation: (attempt: number) => Promise<T>,
  rules: RetryRules,
  runtime: Pick<Runtime, "sleep" | "random">,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= rules.attempts || wasAborted(rules) || !rules.isTransient(error)) throw error;
      const ceiling = Math.min(rules.maxDelayMs, rules.baseDelayMs * 2 ** (attempt - 1));
      const asked = rules.retryAfterMs?.(error);
      const pause =
        asked === undefined ? runtime.random() * ceiling : Math.min(asked, rules.maxAskedMs ?? rules.maxDelayMs);
      await pauseFor(pause, rules.signal, runtime);
      if (wasAborted(rules)) throw error;
    }
  }
}

function wasAborted(rules: RetryRules): boolean {
  return rules.signal?.aborted === true;
}

/** A pause between tries that an abort ends at once. */
export function pauseFor(ms: number, signal: AbortSignal | undefined, runtime: Pick<Runtime, "sleep">): Promise<void> {
  if (signal === undefined) return runtime.sleep(ms);
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const wake = () => resolve();
    signal.addEventListener("abort", wake, { once: true });
    runtime
      .sleep(ms)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", wake));
  });
}
