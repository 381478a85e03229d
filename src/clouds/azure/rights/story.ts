import type { EndStep } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";

/** What is done to give rights or to take them back, as it is done. */
export interface Story {
  readonly steps: readonly EndStep[];
  /** How often Azure was asked. */
  readonly tries: number;
  readonly startedAt: number;
  tell(text: string): void;
  countTry(): void;
}

export function openStory(runtime: Pick<Runtime, "now">): Story {
  const steps: EndStep[] = [];
  let tries = 0;
  return {
    steps,
    startedAt: runtime.now(),
    get tries() {
      return tries;
    },
    tell(text) {
      steps.push({ at: new Date(runtime.now()).toISOString(), text });
    },
    countTry() {
      tries += 1;
    },
  };
}
