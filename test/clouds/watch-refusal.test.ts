import { describe, expect, it } from "vitest";
import { openStory, secondsSince } from "../../src/clouds/story.js";
import { watchRefusal } from "../../src/clouds/watch-refusal.js";
import type { Wait } from "../../src/core/lease.js";
import { withLimit } from "./end-order.js";

const WATCHING = { since: 0, watchMs: 30_000, text: "waiting", firstPauseMs: 1_000, longestPauseMs: 4_000 };

/** A clock that goes on by what is slept. */
function clock() {
  let now = 0;
  return {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
}

function watch(answers: readonly boolean[], timesInARow: number, unwatched = new AbortController().signal) {
  const asked = [...answers];
  const progress: string[] = [];
  const context = {
    unwatched,
    signal: new AbortController().signal,
    onProgress: (text: string, wait?: Wait) => void progress.push(withLimit(text, wait)),
  };
  const isRefused = async () => asked.shift() ?? answers.at(-1) ?? false;
  return { first: watchRefusal(isRefused, { ...WATCHING, timesInARow }, context, clock()), progress };
}

describe("what was taken back", () => {
  it.each([
    { name: "refused at once", answers: [true], timesInARow: 2, want: 0 },
    { name: "refused after a while", answers: [false, true, true], timesInARow: 2, want: 1_000 },
    { name: "refused, and then not", answers: [true, false, true, true], timesInARow: 2, want: 2_600 },
    { name: "refused only twice of three", answers: [true, true, false, true], timesInARow: 3, want: 4_560 },
    { name: "never refused", answers: [false], timesInARow: 2, want: undefined },
  ])("is watched: $name", async ({ answers, timesInARow, want }) => {
    const { first, progress } = watch(answers, timesInARow);
    expect(await first).toBe(want);
    expect(progress[0]).toBe("waiting (of 30s)");
  });

  it("is not watched where nobody waits", async () => {
    expect(await watch([true], 2, AbortSignal.abort()).first).toBeUndefined();
  });
});

it("is told as it is done", () => {
  let now = 1_000;
  const story = openStory({ now: () => now });
  now = 3_345;
  story.tell("took it back");
  story.countTry();
  story.countTry();
  expect(story).toMatchObject({ startedAt: 1_000, tries: 2 });
  expect(story.steps).toEqual([{ at: "1970-01-01T00:00:03.345Z", text: "took it back" }]);
  expect(secondsSince(1_000, now)).toBe("2.3s");
  expect(secondsSince(now, 1_000)).toBe("0.0s");
});
