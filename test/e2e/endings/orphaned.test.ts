import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { isRunning, poll } from "../../run/harness.js";
import type { Stage } from "../agentctl.js";
import { endHeldRuns, type HeldRun, startHeld } from "./held-run.js";
import { ledgerIds } from "./ledger-view.js";
import { expectNothingAlive, findWatchdog } from "./processes.js";
import { deniesOf, iamRequests, openRevokingStage, REVOCABLE, TAKEN_BACK, tryKeys } from "./revoking-stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

let stage: Stage;
beforeAll(async () => {
  const patient = { ttl: "15m", grace: "2m", aws: REVOCABLE };
  stage = await openRevokingStage({}, {}, { patient });
});
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

/** A lease that nobody ends by himself any more; its command goes on. */
async function orphan(profile = "demo", trap = ""): Promise<HeldRun> {
  const run = await startHeld(stage, profile, { script: `${trap}while :; do sleep 0.2; done` });
  const watchdog = await poll(() => findWatchdog(run.id), "the watchdog");
  process.kill(watchdog, "SIGKILL");
  await poll(() => !isRunning(watchdog), "the watchdog's end");
  process.kill(run.pid, "SIGKILL");
  await poll(() => !isRunning(run.pid), "agentctl's end");
  return run;
}
const removedLine = (run: HeldRun, profile = "demo") =>
  new RegExp(`^agentctl: lease ${run.id} on ${profile}: aws: removed, usable until \\S+Z at the latest`, "m");

test("the lease is listed as orphaned, and a sweep ends it and its command", async () => {
  const run = await orphan("stopped");
  const { stdout } = await stage.run(["lease", "list"]);
  expect(stdout).toMatch(new RegExp(`^${run.id} +stopped +orphaned +`, "m"));
  expect(isRunning(run.childPid)).toBe(true);
  expect(await tryKeys(stage, run.keys)).toBe("ok");

  const swept = await stage.run(["lease", "sweep"]);
  expect(swept, swept.stderr).toMatchObject({ code: 0, stdout: "" });
  expect(swept.stderr).toMatch(removedLine(run, "stopped"));
  expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
  await expectNothingAlive(stage, run.id, [run.childPid]);
  expect(run.receipt()).toMatchObject({
    endedBy: { by: "sweep", strays: { killed: 0 } },
    endings: [{ word: "removed" }],
  });
  const again = await stage.run(["lease", "sweep"]);
  expect(again).toMatchObject({ code: 0, stderr: "agentctl: no lease needs sweeping\n" });
});

test("a revocation ends its command with it", async () => {
  const run = await orphan();
  const revoked = await stage.run(["lease", "revoke", run.id]);
  expect(revoked, revoked.stderr).toMatchObject({ code: 0 });
  expect(revoked.stderr).toMatch(removedLine(run));
  expect(run.records("lease.end")).toMatchObject([{ endedBy: { by: "revoke" } }]);
  await expectNothingAlive(stage, run.id, [run.childPid]);
});

test("of two sweeps at once, one ends it", async () => {
  const run = await orphan();
  const sweeps = await Promise.all([1, 2].map(() => stage.run(["lease", "sweep"])));
  for (const swept of sweeps) expect(swept, swept.stderr).toMatchObject({ code: 0 });
  expect(sweeps.filter(({ stderr }) => removedLine(run).test(stderr))).toHaveLength(1);
  expect(run.records("lease.end")).toMatchObject([{ endedBy: { by: "sweep" } }]);
  expect(deniesOf(stage, run.id)).toHaveLength(1);
  await expectNothingAlive(stage, run.id, [run.childPid]);
});

test("the next run ends it beside its own command, and says so in a line", async () => {
  const run = await orphan();
  const next = await stage.run(["run", "-p", "none", "--", "true"]);
  expect(next).toMatchObject({ code: 0 });
  const lines = next.stderr.split("\n").filter((line) => line.includes(run.id));
  expect(lines).toEqual([expect.stringMatching(removedLine(run))]);
  expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
  expect(run.records("lease.end")).toMatchObject([{ endedBy: { by: "run" } }]);
  await expectNothingAlive(stage, run.id, [run.childPid]);
});

test("the next run is not held up by the grace of a command that does not end", async () => {
  const run = await orphan("patient", 'trap "" TERM; ');
  const startedAt = Date.now();
  expect(await stage.run(["run", "-p", "none", "--quiet", "--", "true"])).toMatchObject({ code: 0 });
  expect(Date.now() - startedAt).toBeLessThan(30_000);
  expect(ledgerIds(stage)).toEqual([run.id]);
  process.kill(run.childPid, "SIGKILL");
  expect(await stage.run(["lease", "sweep", "--quiet"])).toMatchObject({ code: 0, stderr: "" });
  await expectNothingAlive(stage, run.id, [run.childPid]);
});

test("a sweep in another sandbox, with the same roles, leaves it alone, and says so; as often as that is tried", async () => {
  const run = await orphan();
  const { owner } = JSON.parse(fs.readFileSync(path.join(stage.stateDir, "leases", `${run.id}.json`), "utf8"));
  const other = await openRevokingStage();
  try {
    for (const _ of [1, 2]) {
      const swept = await stage.run(["lease", "sweep"], { env: other.sandbox.env });
      expect(swept, swept.stderr).toMatchObject({ code: 79, stdout: "" });
      expect(swept.stderr).toMatch(
        /not taken back: it was issued by another STS \(https?:\/\/\S+\) than AWS_ENDPOINT_URL_STS names/,
      );
    }
    expect(iamRequests(other)).toEqual([]);
  } finally {
    await other.close();
  }
  expect(run.records("lease.end")).toHaveLength(1);
  expect(run.entry()).toMatchObject({ owner, grants: [{ ending: { word: "failed", isUnfinished: true } }] });
  expect(await tryKeys(stage, run.keys)).toBe("ok");
  expect(await stage.run(["lease", "sweep"])).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(removedLine(run)),
  });
  expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
  await expectNothingAlive(stage, run.id, [run.childPid]);
});

test("without an identity the sweep is unfinished, says how to go on, and does later, with whichever there is", async () => {
  const run = await orphan();
  const bare = { ACTIONS_ID_TOKEN_REQUEST_URL: undefined, ACTIONS_ID_TOKEN_REQUEST_TOKEN: undefined };
  const swept = await stage.run(["lease", "sweep"], { env: bare });
  expect(swept, swept.stderr).toMatchObject({ code: 79, stdout: "" });
  expect(swept.stderr).toMatch(/^agentctl: error\[NOT_TAKEN_BACK\]: /m);
  expect(swept.stderr).toMatch(/^agentctl: hint: .*(lease sweep|identity)/m);
  expect(isRunning(run.childPid)).toBe(false);
  expect(ledgerIds(stage)).toEqual([run.id]);
  expect(await tryKeys(stage, run.keys)).toBe("ok");

  const env = { ...bare, AGENTCTL_ID_TOKEN: await stage.sandbox.mintToken() };
  const unknown = await stage.run(["lease", "sweep", "--identity", "foo"], { env });
  expect(unknown).toMatchObject({ code: 64, stderr: expect.stringContaining('no identity source "foo"') });
  const later = await stage.run(["lease", "sweep"], { env });
  expect(later, later.stderr).toMatchObject({ code: 0 });
  expect(later.stderr).toMatch(removedLine(run));
  expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
  await expectNothingAlive(stage, run.id, [run.childPid]);
});
