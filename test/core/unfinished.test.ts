import { describe, expect, it } from "vitest";
import type { Ending } from "../../src/core/lease.js";
import { outcomeOf } from "../../src/core/sweep-report.js";
import { isUnfinished, lastRetryOf, queuedUntil } from "../../src/core/unfinished.js";

const TWELVE = "2026-01-31T09:12:00Z";
const FIFTEEN = "2026-01-31T09:15:00Z";

const DONE: Ending = { cloud: "aws", word: "revoked", at: TWELVE, detail: "d" };
const OPEN: Ending = { ...DONE, word: "failed", isUnfinished: true };
const QUEUED: Ending = { ...OPEN, cloud: "azure", word: "expires", retryAt: TWELVE };
const LATER: Ending = { ...QUEUED, cloud: "gcp", retryAt: FIFTEEN };
/** A time that an earlier try was told, of what is finished by now. */
const OVER: Ending = { ...DONE, isUnfinished: false, retryAt: FIFTEEN };

const rows: readonly {
  name: string;
  endings: readonly Ending[];
  outcome: ReturnType<typeof outcomeOf>;
  queued?: string;
  last?: string;
}[] = [
  { name: "nothing was to be ended", endings: [], outcome: "ended" },
  { name: "all has ended", endings: [DONE, { ...DONE, isUnfinished: false }], outcome: "ended" },
  { name: "all has ended, and a time is left of an earlier try", endings: [OVER], outcome: "ended" },
  { name: "a further try may be made at once", endings: [DONE, OPEN], outcome: "unfinished" },
  { name: "one makes sense only later", endings: [DONE, QUEUED], outcome: "queued", queued: TWELVE, last: TWELVE },
  {
    name: "one makes sense only later, for the last of two",
    endings: [LATER, QUEUED],
    outcome: "queued",
    queued: FIFTEEN,
    last: FIFTEEN,
  },
  {
    name: "one cloud wants to be asked later, and another may be asked at once",
    endings: [QUEUED, OPEN],
    outcome: "unfinished",
    last: TWELVE,
  },
  {
    name: "the time is one of what has ended",
    endings: [OVER, QUEUED],
    outcome: "queued",
    queued: TWELVE,
    last: TWELVE,
  },
];

describe("what endings leave to do", () => {
  const parse = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time));

  it.each(rows)("is told where $name", ({ endings, outcome, queued, last }) => {
    expect(outcomeOf(endings)).toBe(outcome);
    expect(queuedUntil(endings)).toBe(parse(queued));
    expect(lastRetryOf(endings)).toBe(parse(last));
    expect(endings.some(isUnfinished)).toBe(outcome !== "ended");
  });
});
