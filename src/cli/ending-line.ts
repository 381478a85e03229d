import type { Ending } from "../core/lease.js";

/** How a grant ended or will, in one line; the receipt and `lease show` have the whole of it. `now` in epoch ms. */
export function describeEnding({ cloud, word, at, until, detail }: Ending, now: number): string {
  // What was observed is past; that its time is rounded up to the second makes it no promise.
  const isPast = word === "revoked" || Date.parse(at) <= now;
  const when = `${cloud}: ${word} ${isPast ? "since" : "at"} ${at}`;
  if (word === "failed") return `${when}: ${detail}`;
  return until === undefined || isSoonAfter(until, at) ? when : `${when}, some uses last until ${until}`;
}

/** The cloud's clock and ours may round to different seconds. */
function isSoonAfter(until: string, at: string): boolean {
  return Date.parse(until) - Date.parse(at) < 2000;
}
