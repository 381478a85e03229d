import type { AgentctlError } from "../core/errors.js";

/**
 * Runs `work` with a signal that is aborted when one of `signals` is, with the same reason, or after `ms`, with `late`;
 * leaves no timer and no listener.
 */
export function withinTime<T>(
  ms: number,
  signals: AbortSignal | readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
  late?: AgentctlError,
): Promise<T> {
  return withCut([signals].flat(), work, (cut) => {
    const timer = setTimeout(() => cut.abort(late), ms);
    return { abort: (reason) => cut.abort(reason), end: () => clearTimeout(timer) };
  });
}

/** Runs `work` with a signal that is aborted `ms` after `signal` is, with the same reason: for what is better finished. */
export function withGrace<T>(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withCut([signal], work, (cut) => {
    let timer: NodeJS.Timeout | undefined;
    return {
      abort: (reason) => {
        timer = setTimeout(() => cut.abort(reason), ms);
      },
      end: () => clearTimeout(timer),
    };
  });
}

interface Cutting {
  abort(reason: unknown): void;
  end(): void;
}

async function withCut<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
  open: (cut: AbortController) => Cutting,
): Promise<T> {
  const cut = new AbortController();
  const cutting = open(cut);
  const listened = signals.map((signal) => {
    const passOn = () => cutting.abort(signal.reason);
    signal.addEventListener("abort", passOn, { once: true });
    if (signal.aborted) passOn();
    return { signal, passOn };
  });
  try {
    return await work(cut.signal);
  } finally {
    cutting.end();
    for (const { signal, passOn } of listened) signal.removeEventListener("abort", passOn);
  }
}
