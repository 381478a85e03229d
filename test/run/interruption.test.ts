import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchInterruption } from "../../src/run/index.js";
import { fakeRuntime } from "../fake-runtime.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const handlers = new Map<string, () => void>();
  const runtime = fakeRuntime({
    onSignal: (name, handler) => {
      handlers.set(name, handler);
      return () => handlers.delete(name);
    },
  });
  return { handlers, interruption: watchInterruption(runtime) };
}

describe("signals before the command is started, and after its end", () => {
  it("interrupt with the code of the signal", () => {
    const { handlers, interruption } = watched();
    handlers.get("SIGTERM")?.();
    expect(() => interruption.throwIfInterrupted()).toThrow("interrupted by SIGTERM before the command was started");
    expect(interruption.signal.reason).toMatchObject({ code: "INTERRUPTED", exitCode: 143 });
  });

  it("are this process's no more when it stops watching", () => {
    const { handlers, interruption } = watched();
    interruption.stop();
    expect([...handlers.keys()]).toEqual([]);
  });

  it("do not end a process that is exiting, unless that takes long", () => {
    const { handlers, interruption } = watched();
    interruption.stopAfterExit();
    vi.advanceTimersByTime(2_900);
    expect([...handlers.keys()].sort()).toEqual(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"]);
    vi.advanceTimersByTime(200);
    expect([...handlers.keys()]).toEqual([]);
  });
});
