import type { AgentctlError } from "../../core/errors.js";

/**
 * Runs `work` with a signal that is aborted when `signal` is, with the same reason, or after `ms`, with `late`; leaves
 * no timer and no listener.
 */
export async function withinTime<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  late?: AgentctlError,
): Promise<T> {
  const cut = new AbortController();
  const abort = () => cut.abort(signal.reason);
  const timer = setTimeout(() => cut.abort(late), ms);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await work(cut.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
