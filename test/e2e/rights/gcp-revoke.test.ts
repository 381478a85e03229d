import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually, type Stage } from "../agentctl.js";
import { endHeldRuns, type HeldRun, startHeld } from "../endings/held-run.js";
import { ledgerIds } from "../endings/ledger-view.js";
import { expectNothingAlive } from "../endings/processes.js";
import { expectNothingLeft, expectRefusal } from "../refusal.js";
import {
  account,
  type Binding,
  bindingsOn,
  everyPolicy,
  givenTo,
  JIT,
  member,
  OTHER_BUCKET,
  openGcpStage,
  oursOn,
  PROJECT,
  profileOf,
  READ,
  READER,
  readOther,
  tokenOf,
  VIEWER,
} from "./gcp-stage.js";
import { endWaitingRuns, startWaiting } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

const CLOCK = path.resolve(import.meta.dirname, "../programs/clock.cjs");
const SET = "storage.buckets.setIamPolicy";

let stage: Stage;
beforeAll(async () => {
  stage = await openGcpStage({
    // Of an account of its own: what one account is given is had by all of its leases.
    neighbour: profileOf({ ...READER, service_account: account("demo") }),
    stopped: profileOf(READER, { on_expiry: "stop", grace: "1s" }),
    two: profileOf(
      givenTo(
        JIT,
        [
          { role: VIEWER, resource: "buckets/other" },
          { role: "roles/logging.viewer", resource: PROJECT },
        ],
        { permissions: [READ], at: "buckets/other" },
      ),
    ),
  });
});
afterEach(() => {
  stage.sandbox.faults.clear();
  stage.sandbox.gcp.setPropagation(0);
  stage.sandbox.clock.setOffset(0);
});
afterAll(async () => {
  endHeldRuns();
  endWaitingRuns();
  await stage.close();
});

const revoked = (run: Pick<HeldRun, "id">, profile: string) =>
  new RegExp(`^agentctl: lease ${run.id} on ${profile}: gcp: revoked since \\S+Z`, "m");

describe("lease revoke while the command runs", () => {
  test("on_expiry: warn: its rights are gone, and it goes on without them", async () => {
    const run = await startHeld(stage, "demo");
    const other = await startHeld(stage, "neighbour");
    const outcome = await stage.run(["lease", "revoke", run.id]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(outcome.stderr).toMatch(revoked(run, "demo"));
    expect(oursOn(stage, OTHER_BUCKET, run.id)).toEqual([]);
    expect(oursOn(stage, OTHER_BUCKET, other.id)).toHaveLength(1);
    expect(await readOther(stage, tokenOf(run))).toBe(403);
    expect(await readOther(stage, tokenOf(other))).toBe(200);
    expect(run.records("lease.revoked")).toMatchObject([{ endings: [{ cloud: "gcp", word: "revoked" }] }]);
    for (const each of [run, other]) {
      each.letGo();
      expect(await each.ended, each.stderr()).toMatchObject({ code: 0 });
      await expectNothingAlive(stage, each.id, [each.pid, each.childPid]);
    }
    expect(oursOn(stage, OTHER_BUCKET)).toEqual([]);
  });

  test("on_expiry: stop: it is stopped", async () => {
    const run = await startHeld(stage, "stopped", { script: "while :; do sleep 0.2; done" });
    const outcome = await stage.run(["lease", "revoke", run.id]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stderr).toMatch(revoked(run, "stopped"));
    expect(await run.ended).toMatchObject({ code: 143 });
    expect(await readOther(stage, tokenOf(run))).toBe(403);
    expect(run.receipt()).toMatchObject({ endings: [{ word: "revoked" }], revokedBy: {} });
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });
});

test("lease revoke while the rights are waited for: they are taken back, and the command is not started", async () => {
  stage.sandbox.gcp.setPropagation(600_000, "gcs");
  const run = await startWaiting(stage, "demo");
  await eventually(() => oursOn(stage, OTHER_BUCKET, run.id).length === 1);
  const outcome = await stage.run(["lease", "revoke", run.id]);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: "" });
  expect(outcome.stderr).toMatch(new RegExp(`^agentctl: lease ${run.id} on demo: gcp: removed`, "m"));
  expect(oursOn(stage, OTHER_BUCKET)).toEqual([]);
  expectRefusal(await run.ended, { code: 77, error: "LEASE_ENDED", says: [/the lease was revoked/] });
  expectNothingLeft(stage);
  await expectNothingAlive(stage, run.id, [run.pid]);
});

test("lease revoke of all leases of one account: none of them can read any more", async () => {
  const runs = await Promise.all([startHeld(stage, "demo"), startHeld(stage, "required")]);
  const outcome = await stage.run(["lease", "revoke", "--all"]);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: "" });
  expect(oursOn(stage, OTHER_BUCKET)).toEqual([]);
  for (const run of runs) {
    expect(outcome.stderr).toContain(`agentctl: lease ${run.id} on `);
    expect(await readOther(stage, tokenOf(run))).toBe(403);
    run.letGo();
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  }
});

describe("revoke: required", () => {
  test.each([
    { name: "after a success: 79", profile: "required", exits: 0, code: 79 },
    { name: "after a failure: the command's own code", profile: "required", exits: 3, code: 3 },
    { name: "auto: the command's own code", profile: "demo", exits: 0, code: 0 },
  ])("Google refuses, $name; the lease stays, and a sweep ends it", async ({ profile, exits, code }) => {
    const before = everyPolicy(stage);
    const run = await startHeld(stage, profile, { script: `read -r _; exit ${exits}` });
    stage.sandbox.faults.add({ service: "gcs", operation: SET, kind: "deny" });
    run.letGo();
    const outcome = await run.ended;
    expect(outcome, outcome.stderr).toMatchObject({ code });
    expect(outcome.stderr.includes("error[NOT_TAKEN_BACK]")).toBe(code === 79);
    expect(outcome.stderr).toMatch(/^agentctl: gcp: failed, usable until \S+Z \(not taken back: .*setIamPolicy/m);
    expect(outcome.stderr).toContain(`agentctl lease sweep ${run.id}`);
    expect(run.receipt().endings).toMatchObject([
      { word: "failed", shortfall: expect.any(String), isUnfinished: true, steps: expect.any(Array) },
    ]);
    expect(await readOther(stage, tokenOf(run))).toBe(200);
    expect((await stage.run(["lease", "list"])).stdout).toMatch(new RegExp(`^${run.id} +${profile} +orphaned +`, "m"));

    stage.sandbox.faults.clear();
    const swept = await stage.run(["lease", "sweep"]);
    expect(swept, swept.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(swept.stderr).toMatch(new RegExp(`^agentctl: lease ${run.id} on ${profile}: gcp: removed`, "m"));
    expect(await readOther(stage, tokenOf(run))).toBe(403);
    expect(everyPolicy(stage)).toEqual(before);
    expect(run.receipt()).toMatchObject({ child: { exitCode: exits }, endedBy: { by: "sweep" } });
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });
});

describe("lease list and show", () => {
  test("of one that waits for its rights", async () => {
    stage.sandbox.gcp.setPropagation(600_000, "gcs");
    const run = await startWaiting(stage, "demo");
    expect((await stage.run(["lease", "list"])).stdout).toMatch(new RegExp(`^${run.id} +demo +issuing +`, "m"));
    const shown = await stage.run(["lease", "show", run.id]);
    expect(shown, shown.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout).toMatch(new RegExp(`^${run.id} on demo: issuing, its agentctl is process ${run.pid}`));
    expect(shown.stdout).toMatch(
      /gcp: asked to have roles\/storage\.objectViewer on \/\/storage\S+\/other given to jit@\S+ for this lease, and for credentials of jit@\S+$/m,
    );
    stage.sandbox.gcp.setPropagation(0);
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  test("of one that runs, and of one that has ended", async () => {
    const run = await startHeld(stage, "demo");
    const shown = await stage.run(["lease", "show", run.id]);
    expect(shown, shown.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(shown.stdout).toMatch(
      /gave serviceAccount:jit@\S+ roles\/storage\.objectViewer on \/\/storage\S+other, as agentctl-granter@/,
    );
    expect(shown.stdout).toMatch(/storage\.objects\.get on \/\/storage\.\S+other works for jit@/);
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    const ended = await stage.run(["lease", "show", run.id]);
    for (const told of [
      /gave serviceAccount:jit@/,
      /took 1 of its bindings off \/\/storage/,
      /no longer granted, /,
      /gcp: revoked since \S+Z/,
    ]) {
      expect(ended.stdout).toMatch(told);
    }
  });
});

test("sweep --cloud prunes ours that have ended, tells those that have not, and leaves all others", async () => {
  const now = Math.round(Date.now() / 1000);
  const bindingUntil = (title: string, endSeconds: number, role: string): Binding => {
    const until = new Date(endSeconds * 1000).toISOString().replace(".000Z", "Z");
    const expression = `request.time < timestamp("${until}")`;
    return { role, members: [member("jit")], condition: { title, expression } };
  };
  const ends = { ended: 1_577_836_800, young: now - 60, later: now + 3_600 };
  const titleAt = (endSeconds: number): string => `agentctl-l-0123456789abcdef-${endSeconds}`;
  const [ended, young, later] = [titleAt(ends.ended), titleAt(ends.young), titleAt(ends.later)];
  // One that is called as ours are and ends at another time, and one that is nearly called so.
  const [forged, theirs] = ["agentctl-l-fedcba9876543210-1577836800", "agentctl-of-somebody-else"];
  for (const holder of [OTHER_BUCKET, PROJECT]) {
    const role = holder === PROJECT ? "roles/logging.viewer" : VIEWER;
    stage.sandbox.gcp.changePolicy(holder, (all) => [
      ...all,
      ...Object.values(ends).map((endSeconds) => bindingUntil(titleAt(endSeconds), endSeconds, role)),
      bindingUntil(forged, ends.later, role),
      bindingUntil(theirs, ends.ended, role),
    ]);
  }
  // Where no ledger tells of them, as on a machine that is gone.
  const env = { AGENTCTL_STATE_DIR: path.join(stage.dir, "elsewhere") };
  const swept = await stage.run(["lease", "sweep", "--cloud", "-p", "two", "--json"], { env });
  expect(swept, swept.stderr).toMatchObject({ code: 0 });
  const { clouds } = JSON.parse(swept.stdout) as { clouds: { removed: string[]; kept: { name: string }[] }[] };
  expect(clouds).toMatchObject([{ cloud: "gcp", profile: "two" }]);
  expect(clouds[0]?.removed).toEqual([ended, ended]);
  const kept = clouds[0]?.kept.map(({ name }) => name).filter((name) => name !== forged);
  expect(kept?.sort()).toEqual([young, young, later, later].sort());
  for (const holder of [OTHER_BUCKET, PROJECT]) {
    const titles = bindingsOn(stage, holder).flatMap(({ condition }) => condition?.title ?? []);
    expect(titles.sort()).toEqual([young, later, forged, theirs].sort());
  }
  expect(ledgerIds(stage)).toEqual([]);
  stage.sandbox.clock.advance(8 * 60_000);
  const ahead = { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_AHEAD: stage.writeFile("ahead", String(8 * 60_000)) };
  const again = await stage.run(["lease", "sweep", "--cloud", "-p", "two"], { env: { ...env, ...ahead } });
  expect(again, again.stderr).toMatchObject({ code: 0 });
  const titles = bindingsOn(stage, OTHER_BUCKET).flatMap(({ condition }) => condition?.title ?? []);
  expect(titles.sort()).toEqual([later, forged, theirs].sort());
});
