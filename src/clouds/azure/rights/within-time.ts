import type { AgentctlError } from "../../../core/errors.js";

/**
 * Runs `work` with a signal that is aborted when one of `signals` is, with the same reason, or after `ms`, with `late`;
 * leaves no timer and no listener.
 */
export async function withinTime<T>(
  ms: number,
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
  late?: AgentctlError,
): Promise<T> {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(late), ms);
  const listened = signals.map((signal) => {
    const passOn = () => cut.abort(signal.reason);
    signal.addEventListener("abort", passOn, { once: true });
    if (signal.aborted) passOn();
    return { signal, passOn };
  });
  try {
    return await work(cut.signal);
  } finally {
    clearTimeout(timer);
    for (const { signal, passOn } of listened) signal.removeEventListener("abort", passOn);
  }
}
