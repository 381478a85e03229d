import { formatInstant } from "../core/durations.js";
import type { Ending } from "../core/lease.js";
import { describeEnding } from "./ending-line.js";

/** One thing that happened to a lease. */
export interface Fact {
  /** RFC 3339; in a log that was edited, whatever is there. */
  readonly at: string;
  readonly text: string;
  /** Of two facts that say the same of one thing, the earlier is enough. */
  readonly about?: string;
}

/** `at` in epoch ms, or as on record. */
export function toFact(at: string | number, text: string, about?: string): Fact {
  const when = typeof at === "number" ? new Date(at).toISOString() : String(at);
  return { at: when, text, ...(about !== undefined && { about }) };
}

/** What was done to end a grant, and then the word: when the last of that was done, else at `toldAt`. `now` in epoch ms. */
export function tellEnding(ending: Ending, toldAt: string | undefined, now: number): readonly Fact[] {
  const { cloud, word, at, steps = [], shortfall, isUnfinished } = ending;
  const more = isUnfinished === true ? "; a further try may still take it back" : "";
  const told = steps.at(-1)?.at ?? toldAt ?? at;
  // Nothing is told before it was so.
  const when = word === "revoked" && Date.parse(at) > Date.parse(told) ? at : told;
  return [
    ...steps.map((step) => toFact(step.at, `${cloud}: ${step.text}`, `step of ${cloud} at ${step.at}: ${step.text}`)),
    toFact(
      when,
      `${describeEnding({ ...ending, steps: [] }, now)}${more}`,
      `ending of ${cloud}: ${word} ${at} ${shortfall}`,
    ),
  ];
}

/** Oldest first, each thing once, with whole seconds; what has no time comes last, as it is. */
export function putInOrder(facts: readonly Fact[]): readonly Pick<Fact, "at" | "text">[] {
  const told = new Set<string>();
  const inOrder = facts.toSorted((one, other) => compareTimes(timeOf(one), timeOf(other)));
  return inOrder.flatMap(({ at, text, about }) => {
    if (about !== undefined && told.has(about)) return [];
    if (about !== undefined) told.add(about);
    const time = Date.parse(at);
    return [{ at: Number.isNaN(time) ? at : formatInstant(time), text }];
  });
}

function timeOf({ at }: Fact): number {
  const time = Date.parse(at);
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}

function compareTimes(one: number, other: number): number {
  return one === other ? 0 : one - other;
}
