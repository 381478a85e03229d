import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isRunning, poll } from "../../run/harness.js";
import { eventually, type Stage } from "../agentctl.js";
import { endHeldRuns, type HeldRun, startHeld } from "../endings/held-run.js";
import { ledgerIds, readEntry } from "../endings/ledger-view.js";
import { expectNothingAlive } from "../endings/processes.js";
import { type HeldLatency, holdLatency } from "../faults/held-latency.js";
import {
  everyPolicy,
  member,
  OTHER_BUCKET,
  openGcpStage,
  oursOn,
  profileOf,
  READER,
  readOther,
  tokenOf,
  VIEWER,
} from "./gcp-stage.js";
import { endWaitingRuns, killBoth, startWaiting, type WaitingRun } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

const GET = "storage.buckets.getIamPolicy";
const SET = "storage.buckets.setIamPolicy";

let stage: Stage;
let latency: HeldLatency;
let before: ReturnType<typeof everyPolicy>;
beforeAll(async () => {
  latency = holdLatency();
  stage = await openGcpStage(
    { served: profileOf(READER, { deliver: "endpoint", credential_ttl: "90s" }) },
    { host: latency.host },
  );
  const condition = { title: "theirs", expression: 'request.time < timestamp("2020-01-01T00:00:00Z")' };
  stage.sandbox.gcp.changePolicy(OTHER_BUCKET, (all) => [
    ...all,
    { role: VIEWER, members: [member("jit")], condition },
  ]);
  before = everyPolicy(stage);
});
afterEach(() => {
  stage.sandbox.gcp.setPropagation(0);
  stage.sandbox.faults.clear();
  latency.release();
});
afterAll(async () => {
  latency.release();
  endHeldRuns();
  endWaitingRuns();
  await stage.close();
});

type Killed = Pick<HeldRun | WaitingRun, "id" | "pid" | "records" | "receipt">;

/** By the watchdog, on record, with a receipt, with nothing of it in any policy, and all of the others' there. */
async function expectTakenBack(run: Killed, by: string, pids: readonly number[] = []): Promise<void> {
  await expectNothingAlive(stage, run.id, [run.pid, ...pids]);
  expect(everyPolicy(stage)).toEqual(before);
  const end = { endedBy: { by, pid: expect.any(Number) }, endings: [{ cloud: "gcp", word: "removed" }] };
  expect(run.records("lease.end")).toMatchObject([end]);
  expect(run.receipt()).toMatchObject({ lease: run.id, ...end });
}

/** A run that waits, with its binding in the policy already. */
async function startUnready(): Promise<WaitingRun> {
  stage.sandbox.gcp.setPropagation(600_000, "gcs");
  const run = await startWaiting(stage, "demo");
  await eventually(() => oursOn(stage, OTHER_BUCKET, run.id).length === 1);
  return run;
}

describe("agentctl is killed, and its watchdog takes back what was given", () => {
  test("before the policy is written", async () => {
    stage.sandbox.faults.add({ service: "gcs", operation: SET, kind: "latency", times: 1 });
    const run = await startWaiting(stage, "demo");
    await eventually(() => latency.held === 1);
    process.kill(run.pid, "SIGKILL");
    stage.sandbox.faults.clear();
    // What was sent before it died is written all the same, while the watchdog is at work.
    await poll(() => !isRunning(run.pid), "agentctl's end");
    latency.release();
    await run.ended;
    await expectNothingAlive(stage, run.id, [run.pid]);
    expect(everyPolicy(stage)).toEqual(before);
    expect(run.records("lease.end")).toMatchObject([{ endedBy: { by: "watchdog" } }]);
  });

  test("while it waits until the rights work", async () => {
    const run = await startUnready();
    process.kill(run.pid, "SIGKILL");
    await run.ended;
    await expectTakenBack(run, "watchdog");
    expect(run.stderr()).toMatch(new RegExp(`^agentctl: lease ${run.id} on demo: gcp: removed`, "m"));
  });

  test.each([{ profile: "demo" }, { profile: "required" }, { profile: "served" }])(
    "while the command of $profile runs",
    async ({ profile }) => {
      const run = await startHeld(stage, profile, { script: "while :; do sleep 0.2; done" });
      const token = tokenOf(run);
      expect(await readOther(stage, token)).toBe(200);
      process.kill(run.pid, "SIGKILL");
      await run.ended;
      await expectTakenBack(run, "watchdog", [run.childPid]);
      expect(await readOther(stage, token)).toBe(403);
      expect(run.stderr()).toMatch(new RegExp(`^agentctl: lease ${run.id} on ${profile}: gcp: removed`, "m"));
    },
  );

  test.each([
    { name: "the policy is read", operation: GET },
    { name: "the policy is written", operation: SET },
  ])("at the end, while $name", async ({ operation }) => {
    const run = await startHeld(stage, "demo");
    stage.sandbox.faults.add({ service: "gcs", operation, kind: "latency", times: 1 });
    run.letGo();
    await eventually(() => latency.held === 1);
    process.kill(run.pid, "SIGKILL");
    latency.release();
    await run.ended;
    await expectTakenBack(run, "watchdog", [run.childPid]);
  });

  test("at the end, while it watches that take effect", async () => {
    const run = await startHeld(stage, "demo");
    stage.sandbox.gcp.setPropagation(600_000, "gcs");
    run.letGo();
    await eventually(() => oursOn(stage, OTHER_BUCKET, run.id).length === 0);
    process.kill(run.pid, "SIGKILL");
    await run.ended;
    await expectTakenBack(run, "watchdog", [run.childPid]);
  });
});

describe("both are killed, and a sweep takes back what was given", () => {
  test("while it waits until the rights work", async () => {
    const run = await startUnready();
    await killBoth(run);
    await run.ended;
    expect(oursOn(stage, OTHER_BUCKET, run.id)).toHaveLength(1);
    const swept = await stage.run(["lease", "sweep"]);
    expect(swept, swept.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(swept.stderr).toMatch(new RegExp(`^agentctl: lease ${run.id} on demo: gcp: removed`, "m"));
    await expectTakenBack(run, "sweep");
  });

  test("while its command runs, whom the sweep ends too; of two at once, one does it", async () => {
    const run = await startHeld(stage, "demo", { script: "while :; do sleep 0.2; done" });
    await killBoth(run);
    expect(await readOther(stage, tokenOf(run))).toBe(200);
    const sweeps = await Promise.all([1, 2].map(() => stage.run(["lease", "sweep"])));
    for (const swept of sweeps) expect(swept, swept.stderr).toMatchObject({ code: 0 });
    expect(await readOther(stage, tokenOf(run))).toBe(403);
    await expectTakenBack(run, "sweep", [run.childPid]);
  });

  test("and Google refuses that: 79, the lease stays, and a later sweep ends it", async () => {
    const run = await startHeld(stage, "demo", { script: "while :; do sleep 0.2; done" });
    await killBoth(run);
    stage.sandbox.faults.add({ service: "gcs", operation: SET, kind: "deny" });
    const refused = await stage.run(["lease", "sweep"]);
    expect(refused, refused.stderr).toMatchObject({ code: 79, stdout: "" });
    expect(refused.stderr).toMatch(/^agentctl: error\[NOT_TAKEN_BACK\]: /m);
    expect(ledgerIds(stage)).toEqual([run.id]);
    expect(readEntry(stage, run.id)?.grants).toMatchObject([{ ending: { word: "failed", isUnfinished: true } }]);
    expect(oursOn(stage, OTHER_BUCKET, run.id)).toHaveLength(1);
    stage.sandbox.faults.clear();
    expect(await stage.run(["lease", "sweep"])).toMatchObject({ code: 0 });
    await expectNothingAlive(stage, run.id, [run.childPid]);
    expect(everyPolicy(stage)).toEqual(before);
    expect(run.records("lease.end")).toMatchObject([
      { endings: [{ word: "failed" }] },
      { endings: [{ word: "removed" }], endedBy: { by: "sweep" } },
    ]);
  });
});

describe("interrupted at the end", () => {
  test("twice: the rest is left to the watchdog, which goes on", async () => {
    const run = await startHeld(stage, "required");
    stage.sandbox.faults.add({ service: "gcs", operation: GET, kind: "latency", times: 1 });
    run.letGo();
    await eventually(() => latency.held === 1);
    process.kill(run.pid, "SIGINT");
    await run.said(/ending the lease, without watching it take effect;/);
    process.kill(run.pid, "SIGINT");
    await run.said(new RegExp(`lease ${run.id} stays in the ledger: its watchdog goes on with gcp`));
    expect(await run.ended, run.stderr()).toMatchObject({ code: 79 });
    latency.release();
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
    expect(everyPolicy(stage)).toEqual(before);
    expect(run.records("lease.end").at(-1)).toMatchObject({
      endedBy: { by: "watchdog" },
      endings: [{ cloud: "gcp", word: "removed" }],
    });
    expect(run.receipt()).toMatchObject({ child: { exitCode: 0 }, endedBy: { by: "watchdog" } });
  });

  test("once: what takes effect is not watched", async () => {
    const run = await startHeld(stage, "required");
    stage.sandbox.gcp.setPropagation(600_000, "gcs");
    run.letGo();
    await eventually(() => oursOn(stage, OTHER_BUCKET, run.id).length === 0);
    const interruptedAt = Date.now();
    process.kill(run.pid, "SIGINT");
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    expect(Date.now() - interruptedAt).toBeLessThan(10_000);
    expect(run.receipt().endings).toMatchObject([
      { word: "removed", detail: expect.stringMatching(/not seen to refuse|nobody waited to see that/) },
    ]);
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
    expect(everyPolicy(stage)).toEqual(before);
  });
});
