import { formatInstant } from "../core/durations.js";
import type { Ending } from "../core/lease.js";

/**
 * How a grant ended or will, and why it was not taken back, or not seen to be, in one line. `now` in epoch ms; what was
 * never handed out no command can use.
 */
export function describeEnding(ending: Ending, now: number, isHandedOut = true): string {
  const reasons = [
    ...reasonsOf(ending),
    ...(isHandedOut || ending.word === "revoked" ? [] : ["no command was given it"]),
  ];
  const why = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
  return `${ending.cloud}: ${describeWord(ending, now, isHandedOut)}${why}`;
}

/** The word and its times; never a time at which something is said to happen that is only the latest. `now` in epoch ms. */
function describeWord(ending: Ending, now: number, isHandedOut: boolean): string {
  const { cloud, word, at, until } = ending;
  const when = describeTime(ending, now, isHandedOut);
  if (until === undefined || isSoonAfter(until, at) || Date.parse(until) <= now) return when;
  if (cloud !== "aws") return `${when}; the token itself lives until ${until}`;
  return word === "removed" || word === "failed" ? when : `${when}; GetCallerIdentity and the like work until ${until}`;
}

function describeTime({ word, at }: Ending, now: number, isHandedOut: boolean): string {
  const time = Date.parse(at);
  // What was observed is past, and is on record to the millisecond.
  if (word === "revoked") return `revoked since ${Number.isNaN(time) ? at : formatInstant(time)}`;
  const isPast = time <= now;
  const until = isHandedOut ? "usable until" : "gone by";
  if (word === "removed") return isPast ? `removed, not usable since ${at}` : `removed, ${until} ${at} at the latest`;
  if (word === "failed") return isPast ? `failed, not usable since ${at}` : `failed, ${until} ${at}`;
  return `${word} ${isPast ? "since" : "at"} ${at}`;
}

function reasonsOf({ word, shortfall, detail, reason, steps = [] }: Ending): readonly string[] {
  if (shortfall !== undefined) return [`not taken back: ${shortfall}`];
  if (word === "failed") return [detail];
  if (reason !== undefined) return [reason];
  // Steps without an outcome of theirs: what was to be taken back was left to its time, and the last of them says why.
  return word === "fenced" || word === "expires" ? steps.slice(-1).map(({ text }) => text) : [];
}

/** The cloud's clock and ours may round to different seconds. */
function isSoonAfter(until: string, at: string): boolean {
  return Date.parse(until) - Date.parse(at) < 2000;
}
