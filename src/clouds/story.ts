import type { EndStep } from "../core/lease.js";
import type { Runtime } from "../core/runtime.js";

/** What is done to give rights or to end a grant, as it is done. */
export interface Story {
  readonly steps: readonly EndStep[];
  /** How often the cloud was asked, where that is counted. */
  readonly tries: number;
  /** Epoch ms. */
  readonly startedAt: number;
  tell(text: string): void;
  countTry(): void;
}

/** `onStep` is told of each step when it is done. */
export function openStory(runtime: Pick<Runtime, "now">, onStep?: (step: EndStep) => void): Story {
  const steps: EndStep[] = [];
  let tries = 0;
  return {
    steps,
    startedAt: runtime.now(),
    get tries() {
      return tries;
    },
    tell(text) {
      const step = { at: new Date(runtime.now()).toISOString(), text };
      steps.push(step);
      onStep?.(step);
    },
    countTry() {
      tries += 1;
    },
  };
}

/** From one moment to a later one (epoch ms), such as `2.3s`. */
export function secondsSince(earlier: number, later: number): string {
  return `${(Math.max(0, later - earlier) / 1000).toFixed(1)}s`;
}
