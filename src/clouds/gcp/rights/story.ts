import type { EndStep } from "../../../core/lease.js";
import type { Runtime } from "../../../core/runtime.js";

/** What is done, as it is done. */
export interface Story {
  readonly steps: readonly EndStep[];
  readonly startedAt: number;
  tell(text: string): void;
}

export function openStory(runtime: Pick<Runtime, "now">): Story {
  const steps: EndStep[] = [];
  return {
    steps,
    startedAt: runtime.now(),
    tell(text) {
      steps.push({ at: new Date(runtime.now()).toISOString(), text });
    },
  };
}

/** Such as `2.3s`. */
export function secondsSince(earlier: number, later: number): string {
  return `${(Math.max(0, later - earlier) / 1000).toFixed(1)}s`;
}
