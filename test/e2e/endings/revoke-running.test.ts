import os from "node:os";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isRunning } from "../../run/harness.js";
import { eventually, type Stage } from "../agentctl.js";
import { type Answer, endLeases, openLease } from "../endpoint/open-lease.js";
import { endHeldRuns, type HeldRun, startHeld } from "./held-run.js";
import { ledgerIds, readEntry } from "./ledger-view.js";
import { expectNothingAlive } from "./processes.js";
import { type AwsKeys, deniesOf, openRevokingStage, TAKEN_BACK, tryKeys } from "./revoking-stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

let stage: Stage;
beforeAll(async () => {
  stage = await openRevokingStage();
});
afterAll(async () => {
  await endLeases();
  endHeldRuns();
  await stage.close();
});

const revoke = (...args: string[]) => stage.run(["lease", "revoke", ...args]);
const endedLine = (id: string, profile: string, word = "revoked since") =>
  new RegExp(`^agentctl: lease ${id} on ${profile}: aws: ${word} \\S+Z`, "m");

/** Who asked for it, as the lease's own record says. */
function expectWhoOnRecord(records: readonly Record<string, unknown>[]): void {
  const [revoked] = records.filter(({ kind }) => kind === "lease.revoked");
  expect(revoked).toMatchObject({
    revokedBy: { user: os.userInfo().username, pid: expect.any(Number), at: expect.stringMatching(/Z$/) },
    endings: [{ cloud: "aws", word: "revoked" }],
  });
}

describe("on_expiry: warn", () => {
  test("the command goes on, its endpoint says that the lease is over, and its keys are refused", async () => {
    const lease = await openLease(stage, "served");
    const keys = await lease.ask<AwsKeys>("aws-keys");
    const outcome = await revoke(lease.id);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(outcome.stderr).toMatch(endedLine(lease.id, "served"));

    expect(await tryKeys(stage, keys)).toMatch(TAKEN_BACK);
    const refusal = await lease.ask<Answer>("aws");
    expect(refusal.status).toBe(403);
    expect(refusal.body).toMatch(/"code":"LeaseEnded","message":"agentctl: the lease was revoked at \S+Z"/);
    await lease.said(/^agentctl: .*the lease was revoked by .*$/m);
    await lease.said(/the lease was revoked.*: the command goes on, and is given no credentials any more$/m);
    expect((await stage.run(["lease", "list"])).stdout).toMatch(new RegExp(`^${lease.id} +served +ended `, "m"));
    expectWhoOnRecord(lease.records());

    const again = await revoke(lease.id);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(deniesOf(stage, lease.id)).toHaveLength(1);
    expect(lease.records("lease.revoked")).toHaveLength(1);

    const { code, receipt } = await lease.end();
    expect(code).toBe(0);
    expect(receipt).toMatchObject({
      endings: [{ word: "revoked" }],
      revokedBy: { user: os.userInfo().username },
      child: { exitCode: 0 },
    });
    expect(
      lease
        .records()
        .map(({ kind }) => kind)
        .filter((kind) => kind !== "endpoint.refused"),
    ).toEqual(["lease.start", "lease.revoked", "lease.end"]);
    await expectNothingAlive(stage, lease.id, [lease.agentctl.pid ?? 0]);
  });
});

describe("on_expiry: stop", () => {
  test.each([
    { name: "ends when it is told to", trap: "", code: 143, signal: "SIGTERM" },
    { name: "is killed when it does not", trap: "trap '' TERM; ", code: 137, signal: "SIGKILL" },
  ])("a command $name", async ({ trap, code, signal }) => {
    const run = await startHeld(stage, "stopped", { script: `${trap}while :; do sleep 0.2; done` });
    const outcome = await revoke(run.id.slice(0, -2));
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stderr).toMatch(endedLine(run.id, "stopped"));
    expect(await run.ended).toMatchObject({ code, signal: null });
    expect(run.stderr()).toMatch(/the lease was revoked.*: stopping the command \(SIGTERM; SIGKILL in 1s\)$/m);
    expect(run.stderr().includes("killing it")).toBe(signal === "SIGKILL");
    expect(run.receipt()).toMatchObject({
      child: { exitCode: code, signal },
      endings: [{ word: "revoked" }],
      revokedBy: {},
    });
    expect(run.receipt().child).not.toHaveProperty("stoppedAtExpiry");
    expectWhoOnRecord(run.records());
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });
});

describe("which leases", () => {
  test("those of a profile, then all: each is told, and those that were not meant go on", async () => {
    const [one, two, other] = (await Promise.all(
      ["demo", "demo", "required"].map((profile) => startHeld(stage, profile)),
    )) as [HeldRun, HeldRun, HeldRun];
    const ofProfile = await revoke("-p", "demo");
    expect(ofProfile, ofProfile.stderr).toMatchObject({ code: 0, stdout: "" });
    for (const { id } of [one, two]) expect(ofProfile.stderr).toMatch(endedLine(id, "demo"));
    expect(ofProfile.stderr).not.toContain(other.id);
    expect(await tryKeys(stage, one.keys)).toMatch(TAKEN_BACK);
    expect(await tryKeys(stage, other.keys)).toBe("ok");
    expect(readEntry(stage, other.id)).toMatchObject({ state: "running" });

    const all = await revoke("--all", "--json");
    expect(all, all.stderr).toMatchObject({ code: 0 });
    const { leases } = JSON.parse(all.stdout) as { leases: { id: string; outcome: string; endings: unknown[] }[] };
    expect(new Set(leases.map(({ id }) => id))).toEqual(new Set([one.id, two.id, other.id]));
    for (const lease of leases) expect(lease).toMatchObject({ outcome: "ended", endings: [{ word: "revoked" }] });
    for (const run of [one, two, other]) {
      expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
      expect(isRunning(run.childPid)).toBe(true);
      run.letGo();
      expect(await run.ended).toMatchObject({ code: 0 });
    }
    expect(ledgerIds(stage)).toEqual([]);
    expect(await revoke("--all")).toMatchObject({ code: 0 });
  });

  test.each([
    { name: "an id that is none", args: ["l-0000000000000000"], says: /no open lease/ },
    { name: "no id at all", args: [], says: /no lease is named/ },
    { name: "an id and all", args: ["l-0", "--all"], says: /more than one of/ },
  ])("$name: 64", async ({ args, says }) => {
    const outcome = await revoke(...args);
    expect(outcome).toMatchObject({ code: 64, stdout: "" });
    expect(outcome.stderr).toMatch(/^agentctl: error\[USAGE\]: /);
    expect(outcome.stderr).toMatch(says);
  });
});

test("an agentctl that does not answer: its lease is ended from outside, and it finds that out when it goes on", async () => {
  const run = await startHeld(stage, "demo");
  // Its command is there before the ledger knows of it.
  await eventually(() => readEntry(stage, run.id)?.["child"] !== undefined);
  process.kill(run.pid, "SIGSTOP");
  try {
    const outcome = await revoke(run.id);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stderr).toMatch(endedLine(run.id, "demo", "removed, usable until"));
    expect(outcome.stderr).toMatch(/; its agentctl does not answer, and its command goes on$/m);
    expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
    expect(run.records("lease.revoked")).toMatchObject([{ endedBy: { by: "revoke" }, endings: [{ word: "removed" }] }]);
    expect(readEntry(stage, run.id)).toMatchObject({ state: "ended" });
    // Its command is its own to end.
    expect(isRunning(run.childPid)).toBe(true);
    expect(await stage.run(["lease", "sweep"])).toMatchObject({ stderr: "agentctl: no lease needs sweeping\n" });
  } finally {
    process.kill(run.pid, "SIGCONT");
  }
  await run.said(/the lease was revoked.*: the command goes on, and is given no credentials any more$/m);
  run.letGo();
  const own = await run.ended;
  expect(own, own.stderr).toMatchObject({ code: 0, signal: null });
  expect(run.receipt()).toMatchObject({ child: { exitCode: 0 }, revokedBy: { user: os.userInfo().username } });
  expect(deniesOf(stage, run.id)).toHaveLength(1);
  await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
});
