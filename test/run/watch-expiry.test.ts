import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { OnExpiry } from "../../src/core/profile.js";
import { watchExpiry } from "../../src/run/watch-expiry.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const HOUR_MS = 3_600_000;

/** A lease of an hour whose command outlives everything. */
function stage(onExpiry: OnExpiry, revocation = new AbortController()) {
  const signals: string[] = [];
  const notices: string[] = [];
  const watch = watchExpiry(
    { deadlineAt: Date.now() + HOUR_MS, onExpiry, graceSeconds: 30, revoked: revocation.signal },
    { signal: (signal) => signals.push(signal), isAlive: () => true },
    (text) => notices.push(text.replace(/ended at \S+:/, "ended at T:")),
    { now: () => Date.now() },
  );
  return { signals, notices, watch, revoke: () => revocation.abort() };
}

const GOES_ON = "the command goes on, and is given no credentials any more";
const STOPS = "stopping the command (SIGTERM; SIGKILL in 30s)";
const KILLS = "the command did not stop in time: killing it (SIGKILL)";

describe.each([
  { onExpiry: "warn", at: "the lease ended at T", notices: [GOES_ON], signals: [] },
  { onExpiry: "stop", at: "the lease ended at T", notices: [STOPS, KILLS], signals: ["SIGTERM", "SIGKILL"] },
] as const)("with on_expiry: $onExpiry", ({ onExpiry, at, notices, signals }) => {
  const told = (why: string): string[] => notices.map((text, index) => (index === 0 ? `${why}: ${text}` : text));

  it("the deadline is the end, and a revocation after it is nothing more", () => {
    const run = stage(onExpiry);
    vi.advanceTimersByTime(HOUR_MS);
    run.revoke();
    vi.advanceTimersByTime(HOUR_MS);
    expect([run.notices, run.signals]).toEqual([told(at), signals]);
    expect(run.watch.hasStoppedAtDeadline).toBe(onExpiry === "stop");
  });

  it("a revocation is the end, and the deadline after it is nothing more", () => {
    const run = stage(onExpiry);
    run.revoke();
    expect(run.notices).toEqual([`the lease was revoked: ${notices[0]}`]);
    vi.advanceTimersByTime(2 * HOUR_MS);
    expect([run.notices, run.signals]).toEqual([told("the lease was revoked"), signals]);
    expect(run.watch.hasStoppedAtDeadline).toBe(false);
  });

  it("a revocation before the command was there counts as well", () => {
    const revocation = new AbortController();
    revocation.abort();
    const run = stage(onExpiry, revocation);
    expect(run.notices).toEqual([`the lease was revoked: ${notices[0]}`]);
    run.watch.cancel();
  });

  it("neither is anything after the command's end", () => {
    const run = stage(onExpiry);
    run.watch.cancel();
    run.revoke();
    vi.advanceTimersByTime(2 * HOUR_MS);
    expect([run.notices, run.signals]).toEqual([[], []]);
  });
});
