import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  DEMO_ENTITLEMENT,
  defaultGcp,
  type GcpWorld,
  GRANTER_SERVICE_ACCOUNT,
} from "../../../src/sandbox/gcp/world.js";
import { callGoogle } from "../../sandbox/gcp-clients.js";
import { tokenFor } from "../../sandbox/google-clients.js";
import { eventually, type Stage } from "../agentctl.js";
import { endHeldRuns, startHeld } from "../endings/held-run.js";
import { expectNothingAlive } from "../endings/processes.js";
import { expectNothingLeft, expectRefusal } from "../refusal.js";
import type { Block } from "../three-clouds.js";
import { everyPolicy, JIT, openGcpStage, profileOf, READ, readOther, tokenOf } from "./gcp-stage.js";
import { endWaitingRuns, killBoth, startWaiting } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

const APPROVED_ENTITLEMENT = DEMO_ENTITLEMENT.replace(/demo-entitlement$/, "with-approval");
const GRANTER: Block = { granter: { service_account: GRANTER_SERVICE_ACCOUNT } };

function entitledTo(entitlement: string, timeout: string, more: Block = GRANTER): Block {
  return { ...JIT, ...more, entitlement, ready: { permissions: [READ], timeout } };
}

const PROFILES: Readonly<Record<string, Block>> = {
  demo: profileOf(entitledTo(DEMO_ENTITLEMENT, "30s")),
  required: profileOf(entitledTo(DEMO_ENTITLEMENT, "30s"), { revoke: "required" }),
  alone: profileOf(entitledTo(DEMO_ENTITLEMENT, "30s", {})),
  impatient: profileOf(entitledTo(DEMO_ENTITLEMENT, "2s")),
  approved: profileOf(entitledTo(APPROVED_ENTITLEMENT, "30s")),
  unapproved: profileOf(entitledTo(APPROVED_ENTITLEMENT, "2s")),
  aloneUnapproved: profileOf(entitledTo(APPROVED_ENTITLEMENT, "2s", {})),
};

/** Besides the default world's, one that is to be approved. The account of the leases may not revoke its own grants. */
function world(): GcpWorld {
  const gcp = defaultGcp();
  const demo = gcp.entitlements[DEMO_ENTITLEMENT];
  if (demo === undefined) throw new Error("the default world has no entitlement");
  return {
    ...gcp,
    entitlements: { ...gcp.entitlements, [APPROVED_ENTITLEMENT]: { ...demo, approval: "manual" } },
  };
}

let stage: Stage;
let before: ReturnType<typeof everyPolicy>;
beforeAll(async () => {
  stage = await openGcpStage(PROFILES, { world: { gcp: world() } });
  before = everyPolicy(stage);
});
afterEach(() => stage.sandbox.gcp.setGrantDelays({ activationMs: 0, revocationMs: 0 }));
afterAll(async () => {
  endHeldRuns();
  endWaitingRuns();
  await stage.close();
});

/** The lease's grant of Privileged Access Manager, as it stands now. */
function grantOf(leaseId: string) {
  const grants = stage.sandbox.gcp.grants().filter(({ request }) => JSON.stringify(request).includes(leaseId));
  expect(grants.length).toBeLessThanOrEqual(1);
  return grants[0];
}

const FOREVER = { script: "while :; do sleep 0.2; done" };

describe("a grant of an entitlement", () => {
  test.each([
    { profile: "demo", verb: "revoke", state: "REVOKED" },
    { profile: "required", verb: "revoke", state: "REVOKED" },
    { profile: "alone", verb: "withdraw", state: "WITHDRAWN" },
  ])("on $profile is active while the command runs, and $state at its end", async ({ profile, verb, state }) => {
    stage.sandbox.gcp.setGrantDelays({ activationMs: 1_500, revocationMs: 1_000 });
    const startedAt = Date.now();
    const run = await startHeld(stage, profile);
    expect(Date.now() - startedAt).toBeGreaterThan(1_500);
    const token = tokenOf(run);
    expect(grantOf(run.id)).toMatchObject({ state: "ACTIVE", entitlement: DEMO_ENTITLEMENT });
    expect(await readOther(stage, token)).toBe(200);
    // No lease is that long, and Google gives it for no less.
    expect(grantOf(run.id)?.request.seconds).toBe(1_800);
    expect(run.entry()?.deadlineAt).toBeLessThanOrEqual(Date.now() + 900_000);
    run.letGo();
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    expect(grantOf(run.id)?.state).toBe(state);
    expect(await readOther(stage, token)).toBe(403);
    expect(everyPolicy(stage)).toEqual(before);
    const [ending] = run.receipt().endings;
    expect(ending).toMatchObject({ cloud: "gcp", word: "revoked" });
    expect(ending?.detail).toMatch(/^its grant of \S+demo-entitlement has ended; testIamPermissions on /);
    expect(ending?.steps?.map(({ text }) => text).join("\n")).toMatch(
      new RegExp(`^asked Google to ${verb} \\S+/grants/\\S+, as `, "m"),
    );
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });
});

describe("one at a time has it", () => {
  test("the second lease says for whom it waits and until when, waits, and then works", async () => {
    const first = await startHeld(stage, "demo");
    const second = await startWaiting(stage, "demo", { command: ["true"] });
    await second.said(
      new RegExp(
        `^agentctl: gcp: waiting for lease ${first.id} to give ${DEMO_ENTITLEMENT} back, until \\S+Z at the latest$`,
        "m",
      ),
    );
    expect(grantOf(second.id)).toBeUndefined();
    first.letGo();
    expect(await first.ended, first.stderr()).toMatchObject({ code: 0 });
    expect(await second.ended, second.stderr()).toMatchObject({ code: 0 });
    for (const { id } of [first, second]) expect(grantOf(id)?.state).toBe("REVOKED");
    expect(first.receipt().endings[0]?.word).toMatch(/^(revoked|removed)$/);
    expect(everyPolicy(stage)).toEqual(before);
  });

  test("and is not waited for for ever: ASSIGNMENT_BUSY, and nothing is left", async () => {
    const first = await startHeld(stage, "demo");
    const second = await startWaiting(stage, "impatient");
    expectRefusal(await second.ended, {
      code: 69,
      error: "ASSIGNMENT_BUSY",
      says: [new RegExp(`lease ${first.id} has ${DEMO_ENTITLEMENT}`), /hint: /],
    });
    expect(grantOf(first.id)?.state).toBe("ACTIVE");
    await expectNothingAlive(stage, second.id, [second.pid]);
    expect(second.receipt()).toMatchObject({ error: { code: "ASSIGNMENT_BUSY" }, grants: [] });
    first.letGo();
    expect(await first.ended).toMatchObject({ code: 0 });
  });

  test("also where whoever has it is no agentctl, whose grant is left alone", async () => {
    const token = await tokenFor(stage.sandbox, "jit");
    const body = JSON.stringify({ requestedDuration: "1800s", justification: { unstructuredJustification: "mine" } });
    const answer = await callGoogle(stage.sandbox, `/v1/${DEMO_ENTITLEMENT}/grants`, token, { method: "POST", body });
    const { name } = JSON.parse(answer.body) as { name: string };
    const outcome = await (await startWaiting(stage, "impatient")).ended;
    expectRefusal(outcome, {
      code: 69,
      error: "ASSIGNMENT_BUSY",
      says: [/a grant of jit@\S+, not of agentctl, has /],
    });
    expect(stage.sandbox.gcp.grants().find((grant) => grant.name === name)?.state).toBe("ACTIVE");
    expectNothingLeft(stage);
    await callGoogle(stage.sandbox, `/v1beta/${name}:withdraw`, token, { method: "POST", body: "{}" });
    expect(everyPolicy(stage)).toEqual(before);
  });
});

describe("with somebody who approves it", () => {
  test("that is said and waited for", async () => {
    const run = await startWaiting(stage, "approved", { command: ["true"] });
    await run.said(/^agentctl: .*grants\/\S+ waits for somebody to approve it$/m);
    stage.sandbox.gcp.decideGrant(grantOf(run.id)?.name ?? "", "approve");
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    expect(grantOf(run.id)?.state).toBe("REVOKED");
  });

  test("who says no: CLOUD_DENIED", async () => {
    const run = await startWaiting(stage, "approved");
    await run.said(/waits for somebody to approve it/);
    stage.sandbox.gcp.decideGrant(grantOf(run.id)?.name ?? "", "deny");
    expectRefusal(await run.ended, { code: 77, error: "CLOUD_DENIED", says: [/its approver said no/] });
    expectNothingLeft(stage);
  });

  test.each([
    { profile: "unapproved", state: "REVOKED" },
    { profile: "aloneUnapproved", state: "WITHDRAWN" },
  ])(
    "who is not there: NOT_READY, and the request of $profile is not left to be approved later",
    async ({ profile, state }) => {
      const run = await startWaiting(stage, profile);
      expectRefusal(await run.ended, {
        code: 69,
        error: "NOT_READY",
        says: [/with-approval/, /hint: .*approved/],
      });
      expect(grantOf(run.id)?.state).toBe(state);
      expect(everyPolicy(stage)).toEqual(before);
      expectNothingLeft(stage);
    },
  );
});

describe("agentctl is killed", () => {
  test("while it waits for the grant to be active: the watchdog has it revoked", async () => {
    stage.sandbox.gcp.setGrantDelays({ activationMs: 600_000 });
    const run = await startWaiting(stage, "demo");
    await eventually(() => grantOf(run.id) !== undefined);
    process.kill(run.pid, "SIGKILL");
    await run.ended;
    await expectNothingAlive(stage, run.id, [run.pid]);
    expect(grantOf(run.id)?.state).toBe("REVOKED");
    expect(everyPolicy(stage)).toEqual(before);
    expect(run.records("lease.end")).toMatchObject([{ endedBy: { by: "watchdog" }, endings: [{ word: "removed" }] }]);
  });

  test.each([
    { profile: "demo", state: "REVOKED" },
    { profile: "alone", state: "WITHDRAWN" },
  ])("while the command of $profile runs", async ({ profile, state }) => {
    const run = await startHeld(stage, profile, FOREVER);
    const token = tokenOf(run);
    process.kill(run.pid, "SIGKILL");
    await run.ended;
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
    expect(grantOf(run.id)?.state).toBe(state);
    expect(await readOther(stage, token)).toBe(403);
    expect(run.receipt()).toMatchObject({ endedBy: { by: "watchdog" }, endings: [{ word: "removed" }] });
  });

  test("and its watchdog too: a sweep has it revoked", async () => {
    const run = await startHeld(stage, "demo", FOREVER);
    await killBoth(run);
    expect(grantOf(run.id)?.state).toBe("ACTIVE");
    const swept = await stage.run(["lease", "sweep"]);
    expect(swept, swept.stderr).toMatchObject({ code: 0 });
    expect(swept.stderr).toMatch(new RegExp(`^agentctl: lease ${run.id} on demo: gcp: removed`, "m"));
    expect(grantOf(run.id)?.state).toBe("REVOKED");
    expect(everyPolicy(stage)).toEqual(before);
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });
});
