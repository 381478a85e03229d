import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { callAt } from "../../src/core/call-at.js";

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => vi.useRealTimers());

const AT = 10_500;
const clock = { now: () => Date.now() };

describe("callAt", () => {
  it("calls once, when the time has come", () => {
    const act = vi.fn();
    callAt(AT, act, clock);
    vi.advanceTimersByTime(AT - 1);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(act).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(60_000);
    expect(act).toHaveBeenCalledOnce();
  });

  it("notices within a second that the clock has moved on without its timers", () => {
    const act = vi.fn();
    callAt(AT, act, clock);
    vi.advanceTimersByTime(1_500);
    vi.setSystemTime(AT + 3_600_000);
    vi.advanceTimersByTime(1_000);
    expect(act).toHaveBeenCalledOnce();
  });

  it("waits on when the clock was set back", () => {
    const act = vi.fn();
    callAt(AT, act, clock);
    vi.advanceTimersByTime(AT - 500);
    vi.setSystemTime(0);
    vi.advanceTimersByTime(AT - 1);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(act).toHaveBeenCalledOnce();
  });

  it("calls for a time that has passed, after it has answered", () => {
    const act = vi.fn();
    callAt(-1, act, clock);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(act).toHaveBeenCalledOnce();
  });

  it.each([0, 1_500])("can be called off after %d ms", (ms) => {
    const act = vi.fn();
    const cancel = callAt(AT, act, clock);
    vi.advanceTimersByTime(ms);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps no process alive", () => {
    vi.useRealTimers();
    const spied = vi.spyOn(globalThis, "setTimeout");
    const cancel = callAt(Number.MAX_SAFE_INTEGER, () => {}, clock);
    const timers: readonly NodeJS.Timeout[] = spied.mock.results.map(({ value }) => value);
    expect(timers.map((timer) => timer.hasRef())).toEqual([false]);
    cancel();
    spied.mockRestore();
  });
});
