import { describe, expect, test, vi } from "vitest";
import { eventually, type Stage } from "../agentctl.js";
import { heldCommand, newFile, startHeld } from "../endings/held-run.js";
import { readText } from "../endings/ledger-view.js";
import { expectNothingAlive } from "../endings/processes.js";
import { expectNothingLeft, expectRefusal, neverRun } from "../refusal.js";
import {
  assignBeside,
  assignedNow,
  azureStages,
  EARLY_MS,
  FIRST,
  JIT,
  jitAssigned,
  MAY,
  profileOf,
  READY,
  SECOND,
  SUBSCRIPTION,
  tryTokens,
} from "./azure-stage.js";
import { startWaiting, type WaitingRun } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 90_000 });

const { client_id: _, ...WITHOUT_CLIENT } = JIT;
const POOL = { ...WITHOUT_CLIENT, client_ids: [FIRST, SECOND] };
const SHORT_WAIT = { ...READY, timeout: "2s" };

const open = azureStages({
  pool: profileOf(POOL),
  patient: profileOf({ ...JIT, ready: { ...READY, timeout: "20m" } }),
  impatient: profileOf({ ...JIT, ready: SHORT_WAIT }),
  "impatient-pool": profileOf({ ...POOL, ready: SHORT_WAIT }),
});

interface Follower {
  readonly run: WaitingRun;
  readonly envFile: string;
}

/** A run that has to wait for another lease, whose command ends by itself once it has told what it was given. */
async function follow(stage: Stage, profile: string): Promise<Follower> {
  const envFile = newFile(stage, "env");
  return { run: await startWaiting(stage, profile, { command: heldCommand(envFile, "exit 0") }), envFile };
}

const waitingFor = (id: string, client: string, when = ", until \\S+Z at the latest") =>
  new RegExp(`^agentctl: azure: waiting for lease ${id} \\(application ${client}\\) to give .* back${when}$`, "m");

describe.concurrent("two leases on one principal, role and scope", () => {
  test("the second says for whom it waits and how long, waits, and works", async () => {
    const stage = await open();
    const first = await startHeld(stage, "seen");
    stage.passTime(EARLY_MS);
    const { run, envFile } = await follow(stage, "seen");
    await run.said(waitingFor(first.id, FIRST));
    expect(readText(envFile)).toBe(undefined);
    first.letGo();
    expect(await first.ended).toMatchObject({ code: 0 });
    const text = await eventually(() => readText(envFile) ?? (run.agentctl.exitCode !== null && run.stderr()));
    expect(text).toContain(`AGENTCTL_LEASE_ID=${run.id}`);
    const outcome = await run.ended;
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    // Once, however long it takes.
    expect(outcome.stderr.match(/waiting for lease/g)).toHaveLength(1);
    expect(assignedNow(stage)).toEqual(jitAssigned());
    stage.passTime(EARLY_MS);
    await expectNothingAlive(stage, run.id, [run.pid]);
    expect(assignedNow(stage)).toEqual([]);
  });

  test("and what Azure takes for one still, once it has ended, is waited for too", async () => {
    const stage = await open();
    const first = await startHeld(stage, "bound");
    stage.passTime(EARLY_MS);
    stage.sandbox.azureRoles.setRelease(10 * 60_000);
    first.letGo();
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(assignedNow(stage)).toEqual([]);
    const { run } = await follow(stage, "bound");
    await run.said(new RegExp(`^agentctl: azure: waiting for application ${FIRST} to be free of its Reader on`, "m"));
    stage.sandbox.azureRoles.setRelease(0);
    expect(await run.ended).toMatchObject({ code: 0 });
  });

  test("the first is over, and its removal queued: the next waits for that", async () => {
    const stage = await open();
    const first = await startHeld(stage, "bound");
    first.letGo();
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(assignedNow(stage)).toEqual(jitAssigned());
    const { run } = await follow(stage, "patient");
    await run.said(waitingFor(first.id, FIRST, "; it is over, and taken back at \\S+Z"));
    // Its watchdog gives it back.
    stage.passTime(EARLY_MS);
    const outcome = await run.ended;
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(first.records("lease.end").at(-1)).toMatchObject({ endedBy: { by: "watchdog" } });
  });

  test("it is not given back in time: ASSIGNMENT_BUSY, whose it is, and what to do; nothing is left", async () => {
    const stage = await open();
    const first = await startHeld(stage, "seen");
    const outcome = await stage.run(["run", "-p", "impatient", "--", ...neverRun(stage)]);
    expectRefusal(outcome, {
      code: 69,
      error: "ASSIGNMENT_BUSY",
      says: [
        waitingFor(first.id, FIRST),
        new RegExp(`for lease ${first.id}, until \\S+Z`),
        /waited [2-9]s/,
        /hint: .*client_ids/,
      ],
    });
    expect(await tryTokens(stage, first.env)).toEqual(MAY);
    expect(assignedNow(stage)).toEqual(jitAssigned());
  });

  test("somebody assigned it for good: nothing is waited for", async () => {
    const stage = await open();
    await assignBeside(stage, { role: "Reader", scope: SUBSCRIPTION, to: FIRST });
    const outcome = await stage.run(["run", "-p", "bound", "--", ...neverRun(stage)]);
    expectRefusal(outcome, {
      code: 69,
      error: "ASSIGNMENT_BUSY",
      says: [/not by a lease/, /hint: remove that assignment/],
    });
    expect(assignedNow(stage)).toMatchObject([{ isTimeBound: false }]);
    expectNothingLeft(stage);
  });
});

describe.concurrent("a pool of two applications", () => {
  test("gives two leases at once; the third waits for whichever ends first", async () => {
    const stage = await open();
    const [one, two] = await Promise.all([startHeld(stage, "pool"), startHeld(stage, "pool")]);
    const clients = [one, two].map(({ env }) => env["AZURE_CLIENT_ID"]);
    expect(new Set(clients)).toEqual(new Set([FIRST, SECOND]));
    for (const { env } of [one, two]) expect(await tryTokens(stage, env)).toEqual(MAY);
    stage.passTime(EARLY_MS);
    const { run, envFile } = await follow(stage, "pool");
    await run.said(/^agentctl: azure: waiting for lease l-\w+ \(application \S+\) to give .* back, until \S+Z/m);
    two.letGo();
    expect(await two.ended).toMatchObject({ code: 0 });
    const text = await eventually(() => readText(envFile) ?? (run.agentctl.exitCode !== null && run.stderr()));
    expect(text).toContain(`AZURE_CLIENT_ID=${clients[1]}`);
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(await tryTokens(stage, one.env)).toEqual(MAY);
    expect(run.receipt().grants).toMatchObject([
      { cloud: "azure", principal: expect.stringContaining(String(clients[1])) },
    ]);
  });

  test("all taken, and not given back in time: ASSIGNMENT_BUSY", async () => {
    const stage = await open();
    await Promise.all([startHeld(stage, "pool"), startHeld(stage, "pool")]);
    const outcome = await stage.run(["run", "-p", "impatient-pool", "--", ...neverRun(stage)]);
    expectRefusal(outcome, { code: 69, error: "ASSIGNMENT_BUSY", says: [/each of the 2 in azure.client_ids/] });
    expect(assignedNow(stage)).toHaveLength(4);
  });
});
