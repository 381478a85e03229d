import { formatInstant } from "../core/durations.js";
import type { Ending } from "../core/lease.js";
import { describeEnding } from "./ending-line.js";

/** One thing that happened to a lease. */
export interface Fact {
  /** RFC 3339 with whole seconds. */
  readonly at: string;
  readonly text: string;
}

/** What is no time, in a log that was edited, is shown as it is. */
export function toFact(at: string, text: string): Fact {
  const time = Date.parse(at);
  return { at: Number.isNaN(time) ? String(at) : formatInstant(time), text };
}

/** What was done to end a grant, and then the word: at `toldAt`, else when the last of that was done. `now` in epoch ms. */
export function tellEnding(ending: Ending, toldAt: string | undefined, now: number): readonly Fact[] {
  const { cloud, steps = [], shortfall, isUnfinished } = ending;
  const missing = shortfall === undefined ? "" : `; ${shortfall}`;
  const more = isUnfinished === true ? "; a further try may still take it back" : "";
  return [
    ...steps.map((step) => toFact(step.at, `${cloud}: ${step.text}`)),
    toFact(toldAt ?? steps.at(-1)?.at ?? ending.at, `${describeEnding(ending, now)}${missing}${more}`),
  ];
}
