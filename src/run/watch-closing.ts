import type { Runtime } from "../core/runtime.js";

const INTERRUPTING = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** `waiting`: what is left its cloud takes back only later; `ended`: nothing is left that a signal could shorten. */
export type ClosingStage = "ending" | "waiting" | "ended";

export interface ClosingRules {
  /** Who sees to what is left. */
  readonly finisher?: string;
  /** How far it is when a signal comes. */
  readonly stageNow?: () => ClosingStage;
}

/** What the signals that come while a lease is ended ask for, one after the other. */
export interface ClosingWatch {
  /** Aborted at the first: what is done need not be watched taking effect. */
  readonly unwatched: AbortSignal;
  /** Aborted at the second: nothing more is to be tried here. */
  readonly signal: AbortSignal;
  stop(): void;
}

/**
 * Ending a lease is never simply cut off: the first signal shortens it, the second leaves it to the lease's watchdog,
 * and the third ends this process at once, which the watchdog sees as well. What is only waited for is left at the first,
 * and a further one cuts nothing off of what is then told.
 */
export function watchClosing(
  notify: (text: string) => void,
  runtime: Pick<Runtime, "onSignal" | "kill" | "pid">,
  { finisher = "its watchdog", stageNow = () => "ending" }: ClosingRules = {},
): ClosingWatch {
  const unwatched = new AbortController();
  const leave = new AbortController();
  let count = 0;
  const onSignal = (): void => {
    const stage = stageNow();
    if (stage !== "ending") {
      const isNews = stage === "waiting" && !leave.signal.aborted;
      unwatched.abort();
      if (isNews) leave.abort();
      if (isNews) notify(`leaving the rest to ${finisher}`);
      return;
    }
    count += 1;
    if (count === 1) {
      unwatched.abort();
      notify(`ending the lease, without watching it take effect; interrupt again to leave the rest to ${finisher}`);
    } else if (count === 2) {
      leave.abort();
      notify(`leaving the rest to ${finisher}`);
    } else {
      runtime.kill(runtime.pid, "SIGKILL");
    }
  };
  const stops = INTERRUPTING.map((name) => runtime.onSignal(name, onSignal));
  return {
    unwatched: unwatched.signal,
    signal: leave.signal,
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

/** For a watchdog: whoever signals all that it finds, as a runner does at a job's end, must not shorten what is left to do. */
export function ignoreSignals(runtime: Pick<Runtime, "onSignal">): ClosingWatch {
  const { signal } = new AbortController();
  const stops = INTERRUPTING.map((name) => runtime.onSignal(name, () => {}));
  return {
    unwatched: signal,
    signal,
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}
