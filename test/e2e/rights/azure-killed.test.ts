import fs from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { eventually, type Stage } from "../agentctl.js";
import { type HeldRun, startHeld } from "../endings/held-run.js";
import { ledgerIds } from "../endings/ledger-view.js";
import { expectNothingAlive } from "../endings/processes.js";
import { type HeldLatency, holdLatency } from "../faults/held-latency.js";
import {
  type AzureStage,
  assignedNow,
  awaitQueued,
  azureStages,
  EARLY_MS,
  jitAssigned,
  MAY,
  MAY_NOT,
  PIM_CREATE,
  pimRequests,
  tryTokens,
} from "./azure-stage.js";
import { killBoth, startWaiting, type WaitingRun } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 90_000 });

const open = azureStages();
const latencies: HeldLatency[] = [];
afterAll(() => {
  for (const latency of latencies) latency.release();
});

/** A stage whose latency lasts until it is let go. */
async function openHeld(): Promise<{ readonly stage: AzureStage; readonly latency: HeldLatency }> {
  const latency = holdLatency();
  latencies.push(latency);
  return { stage: await open({ host: latency.host }), latency };
}

/** By somebody else than its agentctl, on record, with a receipt, and with nothing left. */
async function expectFinished(stage: Stage, run: HeldRun | WaitingRun, by: string, word = "removed"): Promise<void> {
  await expectNothingAlive(stage, run.id, [run.pid]);
  expect(assignedNow(stage)).toEqual([]);
  const end = { endedBy: { by }, endings: [{ cloud: "azure", word }] };
  expect(run.records("lease.end").at(-1)).toMatchObject(end);
  expect(run.receipt()).toMatchObject({ lease: run.id, ...end });
}

async function kill(run: HeldRun | WaitingRun): Promise<void> {
  process.kill(run.pid, "SIGKILL");
  expect(await run.ended).toMatchObject({ signal: "SIGKILL" });
}

const expectNeverRan = (stage: Stage) => expect(fs.existsSync(path.join(stage.dir, "ran"))).toBe(false);

describe.concurrent("agentctl is killed", () => {
  test("between two assignments: the watchdog takes the first one back", async () => {
    const { stage, latency } = await openHeld();
    stage.sandbox.azureRoles.setMinimumAge(0);
    stage.sandbox.faults.add({ service: "arm", operation: PIM_CREATE, kind: "latency", after: 1, times: 1 });
    const run = await startWaiting(stage, "seen");
    await eventually(() => latency.held === 1);
    await kill(run);
    latency.release();
    await expectFinished(stage, run, "watchdog");
    expect(pimRequests(stage)).toEqual(["AdminAssign 201", "AdminRemove 201"]);
    expectNeverRan(stage);
  });

  test("while Azure still makes what it has taken the request for: it is taken back all the same", async () => {
    const stage = await open();
    stage.sandbox.azureRoles.setProvisioning(3_000);
    const run = await startWaiting(stage, "seen");
    await eventually(() => pimRequests(stage).includes("AdminAssign 201"));
    await kill(run);
    await eventually(() => assignedNow(stage).length > 0);
    await awaitQueued(stage, run.id);
    expect(ledgerIds(stage)).toEqual([run.id]);
    stage.passTime(EARLY_MS);
    await expectFinished(stage, run, "watchdog");
    expectNeverRan(stage);
  });

  test("while it waits for its rights to work: they are taken back when Azure lets them", async () => {
    const stage = await open();
    stage.sandbox.azureRoles.setPropagation(3_600_000);
    const run = await startWaiting(stage, "seen");
    await eventually(() => assignedNow(stage).length === 2);
    await kill(run);
    await awaitQueued(stage, run.id);
    expect(assignedNow(stage)).toEqual(jitAssigned());
    expect(ledgerIds(stage)).toEqual([run.id]);
    stage.passTime(EARLY_MS);
    await expectFinished(stage, run, "watchdog");
    expectNeverRan(stage);
  });

  test("while it waits for another lease: that keeps what it has", async () => {
    const stage = await open();
    const first = await startHeld(stage, "seen");
    const run = await startWaiting(stage, "seen");
    await run.said(/waiting for lease/);
    await kill(run);
    await expectNothingAlive(stage, run.id, [run.pid]);
    expectNeverRan(stage);
    expect(assignedNow(stage)).toEqual(jitAssigned());
    expect(await tryTokens(stage, first.env)).toEqual(MAY);
  });

  test("while its command runs: the watchdog takes them back", async () => {
    const stage = await open();
    const run = await startHeld(stage, "seen", { script: "while :; do sleep 0.2; done" });
    stage.passTime(EARLY_MS);
    await kill(run);
    await expectFinished(stage, run, "watchdog");
    expect(await tryTokens(stage, run.env)).toEqual(MAY_NOT);
  });

  test("while its command runs, and early: the watchdog waits", async () => {
    const stage = await open();
    const run = await startHeld(stage, "seen", { script: "while :; do sleep 0.2; done" });
    await kill(run);
    await awaitQueued(stage, run.id);
    stage.passTime(EARLY_MS);
    await expectFinished(stage, run, "watchdog");
    expect(await tryTokens(stage, run.env)).toEqual(MAY_NOT);
  });

  test("while it takes them back: the watchdog goes on, and each is taken back once", async () => {
    const { stage, latency } = await openHeld();
    const run = await startHeld(stage, "seen");
    stage.passTime(EARLY_MS);
    stage.sandbox.faults.add({ service: "arm", operation: PIM_CREATE, kind: "latency", times: 1 });
    run.letGo();
    await eventually(() => latency.held === 1);
    await kill(run);
    latency.release();
    await expectFinished(stage, run, "watchdog");
    expect(pimRequests(stage).filter((one) => one === "AdminRemove 201")).toHaveLength(2);
  });

  test("and its watchdog with it: a sweep takes them back", async () => {
    const stage = await open();
    const run = await startHeld(stage, "seen", { script: "while :; do sleep 0.2; done" });
    stage.passTime(EARLY_MS);
    await killBoth(run);
    expect(await tryTokens(stage, run.env)).toEqual(MAY);
    const swept = await stage.run(["lease", "sweep"]);
    expect(swept, swept.stderr).toMatchObject({ code: 0, stdout: "" });
    await expectFinished(stage, run, "sweep");
    expect(await tryTokens(stage, run.env)).toEqual(MAY_NOT);
  });

  test("and its watchdog, for longer than the assignments last: a sweep says that they ended by themselves", async () => {
    const stage = await open();
    const run = await startHeld(stage, "seen", { script: "while :; do sleep 0.2; done" });
    await killBoth(run);
    stage.passTime(40 * 60_000);
    expect(assignedNow(stage)).toEqual([]);
    const swept = await stage.run(["lease", "sweep"]);
    expect(swept, swept.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(swept.stderr).toMatch(/azure: expired|azure: expires/);
    await expectFinished(stage, run, "sweep", "expires");
  });
});

describe.concurrent("lease revoke while the command runs", () => {
  test("takes the assignments back; the command goes on without them", async () => {
    const stage = await open();
    const run = await startHeld(stage, "seen");
    stage.passTime(EARLY_MS);
    const revoked = await stage.run(["lease", "revoke", run.id]);
    expect(revoked, revoked.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(revoked.stderr).toMatch(new RegExp(`^agentctl: lease ${run.id} on seen: azure: revoked since \\S+Z`, "m"));
    expect(assignedNow(stage)).toEqual([]);
    expect(await tryTokens(stage, run.env)).toEqual(MAY_NOT);
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(run.receipt()).toMatchObject({ endings: [{ word: "revoked" }], revokedBy: {} });
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });

  test("too early for Azure: says so, and it is done when the time has come", async () => {
    const stage = await open();
    const run = await startHeld(stage, "seen");
    const revoked = await stage.run(["lease", "revoke", run.id]);
    expect(revoked.stderr).toMatch(
      /nothing to do: its watchdog takes azure back at \S+Z, but not before its agentctl \(process \d+\)/,
    );
    expect(assignedNow(stage)).toEqual(jitAssigned());
    run.letGo();
    await run.ended;
    stage.passTime(EARLY_MS);
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
    expect(assignedNow(stage)).toEqual([]);
  });
});
