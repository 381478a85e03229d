import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AgentctlError } from "../../src/core/errors.js";
import { leaseRevoked, pauseAfter } from "../../src/lease/renewal-rules.js";
import { thrownBy } from "../thrown.js";
import { type Asked, at, CLOUD_AWAY, goTo, makeGrant, minutesNow, START, startKeeping } from "./keeping.js";

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => vi.useRealTimers());

const FIRST = makeGrant({ until: 15 });
const SECOND = makeGrant({ from: 10, until: 25, name: "second" });

/** A grant of a quarter of an hour from now, or of what is left of the lease. */
function giveQuarter({ cloud, give }: Asked): void {
  const from = minutesNow();
  give(makeGrant({ cloud, from, until: Math.min(60, from + 15), name: `at-${from}` }));
}

describe("ahead of its end", () => {
  it("renews with a third of the life left, again and again, until the last one lasts as long as the lease", async () => {
    const { asked, kept, told } = startKeeping([FIRST], { answer: giveQuarter });
    await goTo(59);
    expect(asked.map(({ minute }) => minute)).toEqual([10, 20, 30, 40, 50]);
    expect(kept.grants).toMatchObject([{ principal: "at-50", usableUntil: at(60) }]);
    expect(kept.renewals).toEqual([{ cloud: "aws", renewed: 5, failed: 0, firstAt: at(10), lastAt: at(50) }]);
    expect(told.slice(0, 2)).toEqual(["renewed first to at-10", "renewed at-10 to at-20"]);
  });

  it("renews each cloud by its own times, and none that the environment carries", async () => {
    const grants = [
      makeGrant({ cloud: "aws", channel: "env", until: 15 }),
      makeGrant({ cloud: "azure", until: 30 }),
      makeGrant({ cloud: "gcp", until: 15 }),
    ];
    const { asked, kept } = startKeeping(grants, { answer: giveQuarter });
    await goTo(21);
    expect(asked.map(({ cloud, minute }) => [cloud, minute])).toEqual([
      ["gcp", 10],
      ["azure", 20],
      ["gcp", 20],
    ]);
    expect(kept.grants.map(({ cloud, principal }) => [cloud, principal])).toEqual([
      ["aws", "first"],
      ["azure", "at-20"],
      ["gcp", "at-20"],
    ]);
    expect(kept.renewals.map(({ cloud, renewed }) => [cloud, renewed])).toEqual([
      ["azure", 1],
      ["gcp", 2],
    ]);
  });

  it("follows the wall clock: a machine that slept renews when it wakes", async () => {
    const { asked } = startKeeping([FIRST], { answer: giveQuarter });
    await goTo(5);
    vi.setSystemTime(at(40));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toHaveLength(1);
  });

  const needless = [
    { name: "the grant lasts as long as the lease", until: 60, options: {} },
    { name: "it ends within the two seconds before, as the clouds round", until: 60 - 1 / 30, options: {} },
    { name: "the identity has no token any more when it is due", until: 15, options: { mintableUntil: at(10) } },
    { name: "the lease ends before it is due", until: 15, options: { deadline: 9 } },
  ];
  it.each(needless)("renews nothing where $name", async ({ until, options }) => {
    const { asked, told } = startKeeping([makeGrant({ until })], options);
    await goTo(61);
    expect(asked).toEqual([]);
    expect(told).toEqual([]);
  });

  it("renews while the identity's token is good, and not after", async () => {
    const { asked } = startKeeping([FIRST], { answer: giveQuarter, mintableUntil: at(25) });
    await goTo(59);
    expect(asked.map(({ minute }) => minute)).toEqual([10, 20]);
  });

  it("asks no more than once a second for grants of next to no length", async () => {
    const answer = ({ give }: Asked) => give(makeGrant({ from: minutesNow(), until: minutesNow() + 1 / 60_000 }));
    const { asked } = startKeeping([makeGrant({ until: 1 / 60_000 })], { answer });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.length).toBeLessThanOrEqual(10);
  });
});

describe("asked for", () => {
  it("answers what it holds at once, while a renewal is under way as well", async () => {
    const { asked, kept } = startKeeping([FIRST]);
    expect(await kept.current("aws")).toBe(FIRST);
    await goTo(12);
    expect(asked).toHaveLength(1);
    expect(await kept.current("aws")).toBe(FIRST);
  });

  it("waits for the renewal under way once what it holds has ended; one for however many ask", async () => {
    const { asked, kept } = startKeeping([FIRST]);
    await goTo(16);
    const answers = Promise.all(Array.from({ length: 50 }, () => kept.current("aws")));
    asked[0]?.give(SECOND);
    expect(new Set(await answers)).toEqual(new Set([SECOND]));
    expect(asked).toHaveLength(1);
  });

  it("begins a renewal itself when the grant ended while nobody looked; one for however many ask", async () => {
    const { asked, kept } = startKeeping([FIRST]);
    vi.setSystemTime(at(20));
    const answers = Promise.all(Array.from({ length: 50 }, () => kept.current("aws")));
    await vi.advanceTimersByTimeAsync(0);
    const renewed = makeGrant({ from: 20, until: 35, name: "renewed" });
    asked[0]?.give(renewed);
    expect(new Set(await answers)).toEqual(new Set([renewed]));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toHaveLength(1);
  });

  const ends = [
    { name: "the lease has ended", until: 15, options: { deadline: 12 }, minute: 13, code: "LEASE_ENDED" },
    { name: "at the very deadline", until: 15, options: { deadline: 12 }, minute: 12, code: "LEASE_ENDED" },
    { name: "all but the lease's last second is over", until: 59.99, options: {}, minute: 59.995, code: "LEASE_ENDED" },
    { name: "no token is left", until: 15, options: { mintableUntil: at(9) }, minute: 15, code: "TOKEN_EXPIRED" },
  ];
  it.each(ends)("refuses when $name, and asks nobody", async ({ until, options, minute, code }) => {
    const { asked, kept } = startKeeping([makeGrant({ until })], options);
    vi.setSystemTime(at(minute));
    expect(await thrownBy(() => kept.current("aws"))).toMatchObject({ code, hint: expect.any(String) });
    expect(asked).toEqual([]);
  });

  it("says of a token that is over until when it was good", async () => {
    const { kept } = startKeeping([FIRST], { mintableUntil: at(9) });
    await goTo(14);
    expect(await kept.current("aws")).toBe(FIRST);
    await goTo(15);
    const { message } = await thrownBy(() => kept.current("aws"));
    expect(message).toBe(
      "the aws grant ended at 2026-01-31T09:15:00Z and is not renewed: the identity's token ended at 2026-01-31T09:09:00Z and there is no other",
    );
  });

  it("knows no grant that does not go by the endpoint", async () => {
    const { kept } = startKeeping([makeGrant({ cloud: "gcp", channel: "env", until: 15 })]);
    for (const cloud of ["gcp", "azure"] as const)
      expect((await thrownBy(() => kept.current(cloud))).code).toBe("DEFECT");
  });

  it("at the deadline, whoever still waits is told so, and the renewal is aborted", async () => {
    const { asked, kept } = startKeeping([FIRST], { deadline: 17 });
    await goTo(16);
    const waiting = thrownBy(() => kept.current("aws"));
    await goTo(17);
    expect(await waiting).toMatchObject({ code: "LEASE_ENDED", message: "the lease ended at 2026-01-31T09:17:00Z" });
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true]);
  });
});

describe("a renewal that fails", () => {
  it("is tried again with longer and longer pauses, told once, while what is good is served", async () => {
    const { asked, kept, told } = startKeeping([FIRST], { answer: ({ fail }) => fail(CLOUD_AWAY) });
    await goTo(12);
    expect(await kept.current("aws")).toBe(FIRST);
    expect(told).toEqual(["failed first UNREACHABLE"]);
    const pauses = asked.map(({ minute }, index) => Math.round((minute - (asked[index - 1]?.minute ?? 10)) * 60_000));
    // Three quarters of 1, 2, 4, 8, 16 and then 30 seconds: `random` is a half.
    expect(pauses.slice(0, 8)).toEqual([0, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500]);
    expect(kept.renewals).toEqual([{ cloud: "aws", renewed: 0, failed: asked.length }]);
  });

  it("is over with the next that succeeds, and the next outage is told again", async () => {
    let isAway = true;
    const answer = (question: Asked) => (isAway ? question.fail(CLOUD_AWAY) : giveQuarter(question));
    const { told, kept } = startKeeping([FIRST], { answer });
    await goTo(10.05);
    isAway = false;
    await goTo(11);
    const [name] = kept.grants.map(({ principal }) => principal);
    expect(told).toEqual(["failed first UNREACHABLE", `renewed first to ${name}`, `recovered ${name}`]);
    isAway = true;
    await goTo(22);
    expect(told.slice(3)).toEqual([`failed ${name} UNREACHABLE`]);
  });

  it("is what askers are told once nothing good is held, and they cause no more than a try a second", async () => {
    const { asked, kept } = startKeeping([FIRST], { answer: ({ fail }) => fail(CLOUD_AWAY) });
    await goTo(16);
    const before = asked.length;
    for (let question = 0; question < 20; question += 1) {
      expect(await thrownBy(() => kept.current("aws"))).toBe(CLOUD_AWAY);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(asked.length - before).toBeLessThanOrEqual(4);
    expect(asked.length - before).toBeGreaterThanOrEqual(2);
  });

  it("ends with the identity's token", async () => {
    const { asked, kept } = startKeeping([FIRST], { answer: ({ fail }) => fail(CLOUD_AWAY), mintableUntil: at(11) });
    await goTo(20);
    expect(asked.every(({ minute }) => minute < 11)).toBe(true);
    expect(vi.getTimerCount()).toBe(1);
    expect((await thrownBy(() => kept.current("aws"))).code).toBe("TOKEN_EXPIRED");
  });

  const worthless = [
    { name: "ends before the one held", until: 14 },
    { name: "ends with the one held", until: 15 },
  ];
  it.each(worthless)("is also one whose grant $name", async ({ until }) => {
    const { told, kept } = startKeeping([FIRST], { answer: ({ give }) => give(makeGrant({ until, name: "worse" })) });
    await goTo(10.001);
    expect(told).toEqual(["failed first BAD_ANSWER"]);
    expect(kept.grants).toEqual([FIRST]);
  });

  it("is also one whose grant has ended by the time it is there", async () => {
    const { asked, told, kept } = startKeeping([FIRST]);
    await goTo(10);
    vi.setSystemTime(at(26));
    asked[0]?.give(SECOND);
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(["failed first BAD_ANSWER"]);
    expect(kept.grants).toEqual([FIRST]);
  });

  it("is a DEFECT when something else than an AgentctlError was thrown", async () => {
    const answer = ({ fail }: Asked) => fail(new TypeError("x is undefined") as unknown as AgentctlError);
    const { told } = startKeeping([FIRST], { answer });
    await goTo(10.001);
    expect(told).toEqual(["failed first DEFECT"]);
  });

  it("pauses for at least half of 1, 2, 4, … 30 seconds", () => {
    expect([1, 2, 5, 6, 100].map((failures) => pauseAfter(failures, 0))).toEqual([500, 1_000, 8_000, 15_000, 15_000]);
  });
});

describe("stop", () => {
  it("aborts the renewal under way, tells nobody of it, and leaves no timer", async () => {
    const { asked, kept, told } = startKeeping([FIRST]);
    await goTo(16);
    const waiting = thrownBy(() => kept.current("aws"));
    const stopped = kept.stop();
    expect(asked[0]?.signal.aborted).toBe(true);
    expect((await waiting).code).toBe("LEASE_ENDED");
    asked[0]?.fail(new AgentctlError("INTERRUPTED", "aborted"));
    await stopped;
    expect([told, vi.getTimerCount()]).toEqual([[], 0]);
    expect(kept.renewals).toEqual([{ cloud: "aws", renewed: 0, failed: 0 }]);
    expect((await thrownBy(() => kept.current("aws"))).code).toBe("LEASE_ENDED");
  });

  it("waits for a grant that was issued all the same, and has it to be ended", async () => {
    const { asked, kept, told } = startKeeping([FIRST]);
    await goTo(11);
    let isStopped = false;
    const stopped = kept.stop().then(() => {
      isStopped = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(isStopped).toBe(false);
    asked[0]?.give(SECOND);
    await stopped;
    expect(kept.grants).toEqual([SECOND]);
    expect(kept.renewals).toMatchObject([{ renewed: 1 }]);
    expect([told, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it("answers and renews nothing afterwards, however good the grant, and may be called again", async () => {
    const { asked, kept } = startKeeping([FIRST], { answer: giveQuarter });
    await goTo(5);
    await Promise.all([kept.stop(), kept.stop()]);
    expect((await thrownBy(() => kept.current("aws"))).code).toBe("LEASE_ENDED");
    await goTo(59);
    expect(asked).toEqual([]);
  });

  it("tells askers why, and of two reasons the first", async () => {
    const { kept } = startKeeping([FIRST]);
    await Promise.all([kept.stop(leaseRevoked(Date.UTC(2026, 0, 31, 9))), kept.stop()]);
    expect(await thrownBy(() => kept.current("aws"))).toMatchObject({
      code: "LEASE_ENDED",
      message: "the lease was revoked at 2026-01-31T09:00:00Z",
    });
  });
});
