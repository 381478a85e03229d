import { describe, expect, it } from "vitest";
import { createObserver } from "../../src/cli/run-lines.js";
import type { Ending } from "../../src/core/lease.js";
import { fakeRuntime } from "../fake-runtime.js";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const SOON = "2026-01-31T12:10:00Z";
const LATER = "2026-01-31T12:15:00Z";

function linesOf(ending: Partial<Ending>, quiet = false): string {
  const runtime = fakeRuntime({ now: () => NOW });
  const whole: Ending = { cloud: "aws", word: "fenced", at: SOON, detail: "a long story", ...ending };
  createObserver(runtime, quiet)({ kind: "ended", ending: whole });
  return runtime.stderr.text();
}

describe("the line of an ending", () => {
  it.each([
    { name: "a time to come", ending: {}, want: `aws: fenced at ${SOON}` },
    { name: "a time gone by", ending: { at: "2026-01-31T11:59:59Z" }, want: "aws: fenced since 2026-01-31T11:59:59Z" },
    {
      name: "what outlasts it",
      ending: { until: LATER },
      want: `aws: fenced at ${SOON}, some uses last until ${LATER}`,
    },
    { name: "nothing that does", ending: { until: SOON }, want: `aws: fenced at ${SOON}` },
    { name: "why it failed", ending: { word: "failed" as const }, want: `aws: failed at ${SOON}: a long story` },
  ])("says $name, and leaves the story to the receipt", ({ ending, want }) => {
    expect(linesOf(ending)).toBe(`agentctl: ${want}\n`);
  });

  it("is left out when it is to be quiet", () => {
    expect(linesOf({}, true)).toBe("");
  });
});
