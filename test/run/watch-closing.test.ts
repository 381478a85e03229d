import { describe, expect, it } from "vitest";
import { type ClosingStage, ignoreSignals, watchClosing } from "../../src/run/index.js";
import { fakeRuntime } from "../fake-runtime.js";

function signalling() {
  const handlers = new Map<string, Set<() => void>>();
  const sent: unknown[] = [];
  const runtime = fakeRuntime({
    pid: 42,
    onSignal: (name, handler) => {
      const all = handlers.get(name) ?? new Set();
      handlers.set(name, all.add(handler));
      return () => all.delete(handler);
    },
    kill: (pid, signal) => sent.push([pid, signal]) > 0,
  });
  const signal = (name: string): void => {
    for (const handler of handlers.get(name) ?? []) handler();
  };
  const listening = (): number => [...handlers.values()].reduce((count, { size }) => count + size, 0);
  return { runtime, signal, sent, listening };
}

describe("signals while a lease is ended", () => {
  it("shorten it, then leave it to the watchdog, then end the process at once", () => {
    const { runtime, signal, sent, listening } = signalling();
    const told: string[] = [];
    const watch = watchClosing((text) => told.push(text), runtime);
    expect([watch.unwatched.aborted, watch.signal.aborted]).toEqual([false, false]);
    signal("SIGINT");
    expect([watch.unwatched.aborted, watch.signal.aborted]).toEqual([true, false]);
    signal("SIGTERM");
    expect([watch.unwatched.aborted, watch.signal.aborted]).toEqual([true, true]);
    expect(sent).toEqual([]);
    signal("SIGHUP");
    expect(sent).toEqual([[42, "SIGKILL"]]);
    expect(told).toEqual([
      "ending the lease, without watching it take effect; interrupt again to leave the rest to its watchdog",
      "leaving the rest to its watchdog",
    ]);
    watch.stop();
    expect(listening()).toBe(0);
  });

  it("leave what is only waited for at the first, and end nothing then", () => {
    const { runtime, signal, sent } = signalling();
    const told: string[] = [];
    let stage: ClosingStage = "waiting";
    const watch = watchClosing((text) => told.push(text), runtime, { stageNow: () => stage });
    signal("SIGINT");
    expect([watch.unwatched.aborted, watch.signal.aborted]).toEqual([true, true]);
    signal("SIGINT");
    stage = "ended";
    for (let count = 0; count < 5; count += 1) signal("SIGTERM");
    expect([told, sent]).toEqual([["leaving the rest to its watchdog"], []]);
  });

  it("have others waited for no longer once all has ended, and say nothing of it", () => {
    const { runtime, signal, sent } = signalling();
    const told: string[] = [];
    const watch = watchClosing((text) => told.push(text), runtime, { stageNow: () => "ended" });
    for (let count = 0; count < 5; count += 1) signal("SIGINT");
    expect([watch.unwatched.aborted, watch.signal.aborted, told, sent]).toEqual([true, false, [], []]);
  });

  it("do nothing to a watchdog", () => {
    const { runtime, signal, sent, listening } = signalling();
    const watch = ignoreSignals(runtime);
    expect(listening()).toBe(4);
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) signal(name);
    expect([watch.unwatched.aborted, watch.signal.aborted, sent]).toEqual([false, false, []]);
    watch.stop();
    expect(listening()).toBe(0);
  });
});
