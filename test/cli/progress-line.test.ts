import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createObserver } from "../../src/cli/run-lines.js";
import type { Wait } from "../../src/core/lease.js";
import type { Happening } from "../../src/core/run-request.js";
import type { Runtime } from "../../src/core/runtime.js";
import { captureOutput, fakeRuntime } from "../fake-runtime.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ERASE = "\r\u001b[K";
const waitingFor = (text: string, wait?: Wait): Happening => ({ kind: "progress", text, wait });
/** For five minutes, of which 75 s are over when the script begins. */
const waitLong = (at = Date.now()): Wait => ({ since: at - 75_000, until: at + 225_000 });
const OVER: Happening = { kind: "progress" };
const NOTICE: Happening = { kind: "notice", text: "a fact" };

/** What is written to stderr; a number lets so many milliseconds pass. */
function write(script: readonly (Happening | number)[], { isTTY = true, isQuiet = false, columns = 80 } = {}): string {
  const stderr = { ...captureOutput(isTTY), columns };
  const runtime: Runtime = { ...fakeRuntime(), stderr };
  const observe = createObserver(runtime, isQuiet);
  for (const step of script) {
    if (typeof step === "number") vi.advanceTimersByTime(step);
    else observe(step);
  }
  return stderr.text();
}

describe("what is being waited for", () => {
  it.each([
    { name: "is drawn after 300 ms", script: [waitingFor("AWS"), 300], want: `${ERASE}agentctl: AWS…` },
    { name: "is not drawn before", script: [waitingFor("AWS"), 299], want: "" },
    { name: "is never drawn when it is over by then", script: [waitingFor("AWS"), 299, OVER, 9_000], want: "" },
    {
      name: "is taken away when it is over",
      script: [waitingFor("AWS"), 300, OVER],
      want: `${ERASE}agentctl: AWS…${ERASE}`,
    },
    {
      name: "is drawn anew on the same line",
      script: [waitingFor("AWS"), 300, waitingFor("AWS, 5s")],
      want: `${ERASE}agentctl: AWS…${ERASE}agentctl: AWS, 5s…`,
    },
    {
      name: "is drawn with its newest text",
      script: [waitingFor("AWS"), 200, waitingFor("AWS, 5s"), 100],
      want: `${ERASE}agentctl: AWS, 5s…`,
    },
    {
      name: "makes way for another line, and comes back below it",
      script: [waitingFor("AWS"), 300, NOTICE, OVER],
      want: `${ERASE}agentctl: AWS…${ERASE}agentctl: a fact\n${ERASE}agentctl: AWS…${ERASE}`,
    },
    {
      name: "leaves other lines alone while it is not drawn",
      script: [waitingFor("AWS"), NOTICE, OVER],
      want: "agentctl: a fact\n",
    },
    { name: "is over without having begun", script: [OVER], want: "" },
    {
      name: "waits its moment a second time too",
      script: [waitingFor("AWS"), 300, OVER, waitingFor("GCP"), 299, OVER],
      want: `${ERASE}agentctl: AWS…${ERASE}`,
    },
  ])("$name", ({ script, want }) => expect(write(script)).toBe(want));

  it.each([
    { name: "stderr is no terminal", options: { isTTY: false } },
    { name: "it is to be quiet", options: { isQuiet: true } },
  ])("is not drawn when $name", ({ options }) => {
    expect(write([waitingFor("AWS"), 9_000, OVER], options)).toBe("");
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    { name: "not before 20 s", script: [waitingFor("AWS"), 19_999], want: "" },
    {
      name: "with its newest text",
      script: [waitingFor("AWS"), 19_999, waitingFor("GCP"), 1],
      want: "agentctl: GCP\n",
    },
    { name: "once a minute", script: [waitingFor("AWS"), 139_999], want: "agentctl: AWS\n".repeat(2) },
    { name: "no longer once it is over", script: [waitingFor("AWS"), 20_000, OVER, 90_000], want: "agentctl: AWS\n" },
    {
      name: "anew for what comes next",
      script: [waitingFor("AWS"), 19_999, OVER, waitingFor("GCP"), 19_999],
      want: "",
    },
    {
      name: "without what steers a terminal",
      script: [waitingFor("\u001b[2J"), 20_000],
      want: "agentctl: \\u001b[2J\n",
    },
  ])("is told in a log: $name", ({ script, want }) => {
    expect(write(script, { isTTY: false })).toBe(want);
  });

  it("fits into the line, and steers no terminal", () => {
    expect(write([waitingFor("a long story"), 300], { columns: 16 })).toBe(`${ERASE}agentctl: a lon`);
    expect(write([waitingFor("a long story"), 300], { columns: 0 })).toBe(`${ERASE}agentctl: a long story…`);
    expect(write([waitingFor("\u001b[2J"), 300])).toBe(`${ERASE}agentctl: \\u001b[2J…`);
  });
});

describe("how long it has been waited for", () => {
  it.each([
    { name: "is told with its limit", wait: waitLong, want: "1m15s of 5m: AWS" },
    { name: "is told alone where there is none", wait: (at: number) => ({ since: at - 12_345 }), want: "12s: AWS" },
    {
      name: "is never beyond the limit",
      wait: (at: number) => ({ since: at - 31_000, until: at - 1_000 }),
      want: "30s of 30s: AWS",
    },
  ])("$name, on a terminal and in a log", ({ wait, want }) => {
    expect(write([waitingFor("AWS", wait(Date.now())), 300])).toBe(`${ERASE}agentctl: ${want}`);
    const told = waitingFor("AWS", wait(Date.now() + 20_000));
    expect(write([told, 20_000], { isTTY: false })).toBe(`agentctl: ${want}\n`);
  });

  it("goes on each second, though the cloud is asked more seldom, until it is over", () => {
    const lines = [75, 76, 77].map((seconds) => `${ERASE}agentctl: 1m${seconds - 60}s of 5m: AWS`).join("");
    expect(write([waitingFor("AWS", waitLong()), 2_300, OVER, 9_000])).toBe(`${lines}${ERASE}`);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    { columns: 107, want: "waiting for storage.objects.get on //storage.googleapis.com/projects/_/buckets/site" },
    { columns: 80, want: "waiting for storage.objects.get on //…cts/_/buckets/site" },
    { columns: 50, want: "waiting for stora…ets/site" },
    { columns: 30, want: "waitin" },
  ])("comes first, and the middle of the rest is left out: $columns columns", ({ columns, want }) => {
    const text = "waiting for storage.objects.get on //storage.googleapis.com/projects/_/buckets/site";
    expect(write([waitingFor(text, waitLong()), 300], { columns })).toBe(`${ERASE}agentctl: 1m15s of 5m: ${want}`);
  });
});
