import { describe, expect, test } from "vitest";
import { formatDuration, formatInstant, parseDuration, tryParseDuration } from "../../src/core/durations.js";
import { thrownBy } from "../thrown.js";

describe("parseDuration", () => {
  const rows = [
    { text: "45s", want: 45 },
    { text: "30m", want: 1800 },
    { text: "1h", want: 3600 },
    { text: "1h30m", want: 5400 },
    { text: "2d", want: 172_800 },
    { text: "1d2h3m4s", want: 93_784 },
    { text: "90m", want: 5400 },
    { text: "0h5m", want: 300 },
  ];
  test.each(rows)("$text", ({ text, want }) => {
    expect(parseDuration(text)).toBe(want);
    expect(tryParseDuration(text)).toBe(want);
  });

  const bad = [
    "",
    "0s",
    "0",
    "30",
    "m",
    "1.5h",
    "-1h",
    "1h ",
    " 1h",
    "30m1h",
    "1h1h",
    "1H",
    "1w",
    "1e3s",
    "9999999999999999d",
    "1h\n",
  ];
  test.each(bad)("refuses %j", async (text) => {
    expect(tryParseDuration(text)).toBeUndefined();
    expect(await thrownBy(() => parseDuration(text))).toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("1h30m"),
    });
  });
});

describe("formatDuration", () => {
  const rows = [
    { seconds: 0, want: "0s" },
    { seconds: -5, want: "0s" },
    { seconds: 0.4, want: "0s" },
    { seconds: 59.6, want: "1m" },
    { seconds: 5400, want: "1h30m" },
    { seconds: 86_400, want: "1d" },
    { seconds: 93_784, want: "1d2h3m4s" },
  ];
  test.each(rows)("$seconds", ({ seconds, want }) => {
    expect(formatDuration(seconds)).toBe(want);
  });

  test("what it writes is read back as the same", () => {
    for (const seconds of [1, 59, 60, 61, 3599, 3600, 86_399, 86_401, 123_456_789]) {
      expect(parseDuration(formatDuration(seconds))).toBe(seconds);
    }
  });
});

describe("formatInstant", () => {
  const rows = [
    { name: "whole seconds", at: Date.UTC(2026, 10, 22, 12, 0, 5), want: "2026-11-22T12:00:05Z" },
    {
      name: "a fraction is cut, never rounded up",
      at: Date.UTC(2026, 10, 22, 12, 0, 5, 999),
      want: "2026-11-22T12:00:05Z",
    },
    { name: "the epoch", at: 0, want: "1970-01-01T00:00:00Z" },
  ];
  test.each(rows)("$name", ({ at, want }) => {
    expect(formatInstant(at)).toBe(want);
  });
});
