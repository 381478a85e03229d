import { describe, expect, it } from "vitest";
import { withGrace, withinTime } from "../../src/clouds/within-time.js";
import { AgentctlError } from "../../src/core/errors.js";

/** Ends when it is cut, with the reason. */
function untilCut(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

/** A signal that tells how many listen to it. */
function counted(controller: AbortController) {
  let listeners = 0;
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  return { signal, count: () => listeners };
}

describe("work within a time", () => {
  const late = new AgentctlError("UNREACHABLE", "too late");

  it("is cut when the time is over, with what is said of that", async () => {
    expect(await withinTime(1, [], untilCut, late)).toBe(late);
  });

  it.each([
    { name: "one signal", wrap: (signal: AbortSignal) => signal },
    { name: "any of several", wrap: (signal: AbortSignal) => [new AbortController().signal, signal] },
  ])("is cut with the reason of $name", async ({ wrap }) => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const cut = withinTime(60_000, wrap(stop.signal), untilCut);
    stop.abort(reason);
    expect(await cut).toBe(reason);
    expect(await withinTime(60_000, wrap(stop.signal), untilCut)).toBe(reason);
  });

  it("leaves no listener, also when it fails", async () => {
    const { signal, count } = counted(new AbortController());
    await withinTime(60_000, signal, async () => expect(count()).toBe(1));
    await expect(withinTime(60_000, signal, () => Promise.reject(late))).rejects.toBe(late);
    expect(count()).toBe(0);
  });
});

describe("work with a grace", () => {
  it("goes on for a while after it was stopped, and is then cut with the same reason", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    stop.abort(reason);
    expect(await withGrace(60_000, stop.signal, async (signal) => signal.aborted)).toBe(false);
    expect(await withGrace(1, stop.signal, untilCut)).toBe(reason);
  });
});
