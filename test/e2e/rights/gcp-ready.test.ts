import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { defaultGcp, GRANTER_SERVICE_ACCOUNT } from "../../../src/sandbox/gcp/world.js";
import { eventually, type Outcome, type Stage } from "../agentctl.js";
import { endHeldRuns, startHeld } from "../endings/held-run.js";
import { expectNothingAlive } from "../endings/processes.js";
import { startOnTerminal } from "../endings/terminal.js";
import { expectNothingLeft, expectRefusal, neverRun } from "../refusal.js";
import {
  askedFor,
  everyPolicy,
  givenTo,
  JIT,
  member,
  OTHER_BUCKET,
  openGcpStage,
  oursOn,
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

const BUCKET_ROLE = [{ role: VIEWER, resource: "buckets/other" }];
const DELAY_MS = 3_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openGcpStage({
    brief: profileOf(READER, { ttl: "10s", on_expiry: "stop", grace: "1s" }),
    impatient: profileOf(givenTo(JIT, BUCKET_ROLE, { permissions: [READ], timeout: "2s" })),
    never: profileOf(givenTo(JIT, BUCKET_ROLE, { permissions: [READ, "storage.objects.delete"], timeout: "1s" })),
  });
});
afterEach(() => {
  stage.sandbox.gcp.setPropagation(0);
  stage.sandbox.faults.clear();
});
afterAll(async () => {
  endHeldRuns();
  endWaitingRuns();
  await stage.close();
});

describe("what takes its time to work", () => {
  test("is waited for, and the lease's time begins when it works", async () => {
    stage.sandbox.gcp.setPropagation(DELAY_MS, "gcs");
    const startedAt = Date.now();
    const run = await startHeld(stage, "brief", { script: "while :; do sleep 0.2; done" });
    const workedAt = Date.now();
    expect(workedAt - startedAt).toBeGreaterThan(DELAY_MS);
    expect(await readOther(stage, tokenOf(run))).toBe(200);
    stage.sandbox.gcp.setPropagation(0);
    expect(run.stderr()).toMatch(/for 10s, counted from when it has its roles$/m);
    expect(run.stderr()).toMatch(/^agentctl: gcp: the lease has its roles, and lasts until \S+Z \(10s\)$/m);
    // The whole of the ttl is left, in the ledger as for the command.
    const deadlineAt = run.entry()?.deadlineAt ?? 0;
    expect(deadlineAt).toBeGreaterThan(startedAt + DELAY_MS + 10_000);
    expect(deadlineAt).toBeLessThanOrEqual(workedAt + 10_000);
    expect(Date.parse(run.env["AGENTCTL_EXPIRES_AT"] ?? "")).toBeGreaterThanOrEqual(
      Math.floor(deadlineAt / 1000) * 1000,
    );
    expect(await run.ended).toMatchObject({ code: 143 });
    expect(Date.now()).toBeGreaterThanOrEqual(deadlineAt);
    // Its token has ended by then too, so that nothing can be seen with it.
    expect(run.receipt()).toMatchObject({ child: { stoppedAtExpiry: true }, endings: [{ word: "removed" }] });
    expect(oursOn(stage, OTHER_BUCKET)).toEqual([]);
  });

  test("cannot be told where it was granted before: one line says so", async () => {
    const initial = stage.sandbox.gcp.policyOf(OTHER_BUCKET).bindings;
    stage.sandbox.gcp.changePolicy(OTHER_BUCKET, (all) => [...all, { role: VIEWER, members: [member("jit")] }]);
    const outcome = await stage.run(["run", "-p", "demo", "--", "true"]);
    stage.sandbox.gcp.changePolicy(OTHER_BUCKET, () => initial);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(outcome.stderr.match(/granted before anything was given/g)).toHaveLength(1);
    expect(outcome.stderr).toMatch(
      /^agentctl: gcp: storage\.objects\.get on \/\/storage\.\S+\/other was granted before anything was given: ready cannot tell when this lease's role works$/m,
    );
  });

  test("is told where somebody is looking", async () => {
    stage.sandbox.gcp.setPropagation(DELAY_MS, "gcs");
    const run = startOnTerminal(stage, ["run", "-p", "demo", "--", "true"]);
    await run.said(/\d+s of 30s: waiting for storage\.objects\.get on \/\/storage\.\S+\/other/);
    stage.sandbox.gcp.setPropagation(0);
    expect(await run.exited).toMatchObject({ exitCode: 0 });
  });

  test("beyond its time is an error, which says what was missing, and leaves nothing", async () => {
    const before = everyPolicy(stage);
    for (const { profile, missing, propagationMs } of [
      { profile: "impatient", missing: READ, propagationMs: 600_000 },
      { profile: "never", missing: "storage.objects.delete", propagationMs: 0 },
    ]) {
      stage.sandbox.gcp.setPropagation(propagationMs, "gcs");
      const run = await startWaiting(stage, profile);
      expectRefusal(await run.ended, {
        code: 69,
        error: "NOT_READY",
        says: [
          /^agentctl: error\[NOT_READY\]: .*\/\/storage\S+\/other.*\b[12]s\b/m,
          new RegExp(missing),
          /hint: .*gcp\.ready\.timeout/,
        ],
      });
      expect(everyPolicy(stage)).toEqual(before);
      expectNothingLeft(stage);
      await expectNothingAlive(stage, run.id, [run.pid]);
      const rights = [{ cloud: "gcp", steps: [{ text: expect.stringMatching(/^gave .* on .*other/) }] }];
      expect(run.receipt()).toMatchObject({
        error: { code: "NOT_READY" },
        rights,
        grants: [],
        endings: [{ cloud: "gcp", word: "removed" }],
      });
      expect(run.records().at(-1)).toMatchObject({ kind: "lease.failed", rights, error: { code: "NOT_READY" } });
      const shown = await stage.run(["lease", "show", run.id]);
      expect(shown.stdout).toMatch(/ gcp: gave [\s\S]* failed: NOT_READY: /);
    }
  });
});

const CTRL_C = "\x03";

describe("interrupted while it is waited for", () => {
  test("by Ctrl-C: what was given is taken back, and the command is not started", async () => {
    stage.sandbox.gcp.setPropagation(600_000, "gcs");
    const before = everyPolicy(stage);
    const run = startOnTerminal(stage, ["run", "-p", "demo", "--", ...neverRun(stage)]);
    await run.said(/waiting for storage\.objects\.get on /);
    expect(oursOn(stage, OTHER_BUCKET)).toHaveLength(1);
    run.terminal.write(CTRL_C);
    const { exitCode, signal = 0 } = await run.exited;
    expect(signal === 0 ? exitCode : 128 + signal, run.output()).toBe(130);
    expect(everyPolicy(stage)).toEqual(before);
    expectNothingLeft(stage);
    expect(run.output()).toMatch(/gcp: removed/);
    expect(stage.auditRecords().at(-1)).toMatchObject({ kind: "lease.failed", error: { code: "INTERRUPTED" } });
  });

  test("by SIGTERM, while the policy is being written", async () => {
    const before = everyPolicy(stage);
    stage.sandbox.faults.add({
      service: "gcs",
      operation: "storage.buckets.setIamPolicy",
      kind: "latency",
      latencyMs: 2_000,
      times: 1,
    });
    const asked = askedFor(stage, "storage.buckets.getIamPolicy").length;
    const run = await startWaiting(stage, "demo");
    await eventually(() => askedFor(stage, "storage.buckets.getIamPolicy").length > asked);
    run.agentctl.kill("SIGTERM");
    expect(await run.ended, run.stderr()).toMatchObject({ code: 143 });
    expect(everyPolicy(stage)).toEqual(before);
    expectNothingLeft(stage);
    await expectNothingAlive(stage, run.id, [run.pid]);
  });
});

describe("refused", () => {
  const granter = `serviceAccount:${GRANTER_SERVICE_ACCOUNT}`;
  const trustless = () => {
    const { serviceAccounts, ...rest } = defaultGcp();
    return { gcp: { ...rest, serviceAccounts: { ...serviceAccounts, [GRANTER_SERVICE_ACCOUNT]: [] } } };
  };
  const powerless = () => {
    const { bindings, ...rest } = defaultGcp();
    return { gcp: { ...rest, bindings: bindings.filter(({ members }) => !members.includes(granter)) } };
  };

  test.each([
    {
      name: "the granter may not be had",
      world: trustless(),
      says: [/agentctl-granter@/, /iam\.serviceAccounts\.getAccessToken/],
    },
    {
      name: "the granter may not write the policy",
      world: powerless(),
      says: [
        /storage\.buckets\.(get|set)IamPolicy/,
        /hint: .*agentctl-granter@\S+ needs storage\.buckets\.getIamPolicy and .*setup gcp/,
      ],
    },
  ])("$name: CLOUD_DENIED, and nothing is left", async ({ world, says }) => {
    const own = await openGcpStage({}, { world });
    try {
      const before = everyPolicy(own);
      for (const profile of ["demo", "required"]) {
        const outcome = await own.run(["run", "-p", profile, "--", ...neverRun(own)]);
        expectRefusal(outcome, { code: 77, error: "CLOUD_DENIED", says });
        expect(everyPolicy(own)).toEqual(before);
        expectNothingAsked(own, outcome);
      }
    } finally {
      await own.close();
    }
  });

  test("as many conditions as Google takes: BINDING_LIMIT, and what to do", async () => {
    const expression = 'request.time < timestamp("2090-01-01T00:00:00Z")';
    const foreign = Array.from({ length: 20 }, (_, index) => ({
      role: VIEWER,
      members: [member("jit")],
      condition: { title: `theirs ${index}`, expression },
    }));
    const initial = stage.sandbox.gcp.policyOf(OTHER_BUCKET).bindings;
    stage.sandbox.gcp.changePolicy(OTHER_BUCKET, (all) => [...all, ...foreign]);
    const before = everyPolicy(stage);
    const outcome = await stage.run(["run", "-p", "demo", "--", ...neverRun(stage)]);
    expectRefusal(outcome, {
      code: 77,
      error: "BINDING_LIMIT",
      says: [
        /other holds 20 bindings of roles\/storage\.objectViewer/,
        /Google takes 20/,
        /hint: .*lease sweep --cloud/,
      ],
    });
    expect(everyPolicy(stage)).toEqual(before);
    expectNothingLeft(stage);
    expect(outcome.stderr).not.toMatch(/gcp: (removed|failed|expires|revoked)/);
    stage.sandbox.gcp.changePolicy(OTHER_BUCKET, () => initial);
  });
});

/** Nothing was written, so that there is no ending to tell, and nothing to sweep. */
function expectNothingAsked(stage: Stage, { stderr }: Outcome): void {
  expect(stderr).not.toMatch(/gcp: (removed|failed|expires|revoked)|sweep|swept/);
  expectNothingLeft(stage);
  const last = stage.auditRecords().at(-1);
  expect(last).toMatchObject({ kind: "lease.refused", error: { code: "CLOUD_DENIED" } });
  expect(last?.["endings"] ?? []).toEqual([]);
}

test("--dry-run tells what would be given, by whom and until when, and asks nothing", async () => {
  const asked = stage.sandbox.requests().length;
  const outcome = await stage.run(["run", "-p", "demo", "--dry-run", "--", "true"]);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  const told = `${outcome.stdout}${outcome.stderr}`;
  for (const line of [
    /as agentctl-granter@\S+, give jit@\S+ roles\/storage\.objectViewer on \/\/storage\.\S+other$/m,
    /wait, 30s at the most, until storage\.objects\.get on \/\/storage\.\S+other works$/m,
    /at the end agentctl-granter@\S+ takes the roles off \/\/storage\.\S+other$/m,
    /roles\/storage\.objectViewer on \S+, for this lease alone, until \S+Z at the latest/,
    /removed/,
  ]) {
    expect(told).toMatch(line);
  }
  const since = stage.sandbox.requests().slice(asked);
  expect(since.filter(({ service }) => service !== "oidc")).toEqual([]);
});
