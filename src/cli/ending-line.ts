import type { Ending } from "../core/lease.js";

/** How a grant ended or will, and what kept it from being taken back, in one line. `now` in epoch ms. */
export function describeEnding(ending: Ending, now: number): string {
  const reason = reasonOf(ending);
  return `${ending.cloud}: ${describeWord(ending, now)}${reason === undefined ? "" : ` (${reason})`}`;
}

/** The word and its times; never a time at which something is said to happen that is only the latest. `now` in epoch ms. */
function describeWord(ending: Ending, now: number): string {
  const { cloud, word, at, until } = ending;
  const when = describeTime(ending, now);
  if (until === undefined || isSoonAfter(until, at) || Date.parse(until) <= now) return when;
  if (cloud !== "aws") return `${when}; the token itself lives until ${until}`;
  return word === "removed" || word === "failed" ? when : `${when}; GetCallerIdentity and the like work until ${until}`;
}

function describeTime({ word, at }: Ending, now: number): string {
  const isPast = Date.parse(at) <= now;
  if (word === "removed")
    return isPast ? `removed, not usable since ${at}` : `removed, usable until ${at} at the latest`;
  if (word === "failed") return isPast ? `failed, not usable since ${at}` : `failed, usable until ${at}`;
  // What was observed is past; that its time is rounded up to the second makes it no promise.
  return `${word} ${isPast || word === "revoked" ? "since" : "at"} ${at}`;
}

function reasonOf({ word, shortfall, detail, steps = [] }: Ending): string | undefined {
  if (shortfall !== undefined) return `not taken back: ${shortfall}`;
  if (word === "failed") return detail;
  // Steps without an outcome of theirs: what was to be taken back was left to its time, and the last of them says why.
  return word === "fenced" || word === "expires" ? steps.at(-1)?.text : undefined;
}

/** The cloud's clock and ours may round to different seconds. */
function isSoonAfter(until: string, at: string): boolean {
  return Date.parse(until) - Date.parse(at) < 2000;
}
