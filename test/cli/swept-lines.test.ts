import { expect, it, vi } from "vitest";
import { registerLease } from "../../src/cli/lease.js";
import { createObserver } from "../../src/cli/run-lines.js";
import { renderSweep } from "../../src/cli/sweep-lines.js";
import type { SweptLease } from "../../src/core/sweep-report.js";
import { captureOutput, fakeRuntime } from "../fake-runtime.js";
import { runCommand } from "./run-command.js";

const sessions = vi.hoisted(() => ({ sweepSession: vi.fn() }));
vi.mock("../../src/sweep-session.js", () => sessions);

const LEASE: SweptLease = { id: "l-A", profile: "deploy", outcome: "ended", endings: [] };
const REPORT = { leases: [LEASE], files: [], clouds: [], failures: [] };

it("a run tells of another's lease in the words of lease sweep, and not when it is to be quiet", () => {
  for (const isQuiet of [false, true]) {
    const runtime = fakeRuntime();
    createObserver(runtime, isQuiet)({ kind: "swept", lease: LEASE });
    expect(runtime.stderr.text()).toBe(isQuiet ? "" : renderSweep(REPORT, runtime.now()));
  }
});

it.each([
  {
    name: "a watchdog's terminal, whose prompt it leaves alone",
    argv: ["--as-watchdog", "l-A"],
    isTTY: true,
    gap: "\n",
  },
  { name: "a watchdog's log", argv: ["--as-watchdog", "l-A"], isTTY: false, gap: "" },
  { name: "a sweep's terminal", argv: [], isTTY: true, gap: "" },
])("the report begins on a line of its own on $name", async ({ argv, isTTY, gap }) => {
  sessions.sweepSession.mockResolvedValue(REPORT);
  const runtime = { ...fakeRuntime(), stderr: captureOutput(isTTY) };
  await runCommand(registerLease, ["lease", "sweep", ...argv], runtime);
  expect(runtime.stderr.text()).toBe(`${gap}${renderSweep(REPORT, runtime.now())}`);
});
