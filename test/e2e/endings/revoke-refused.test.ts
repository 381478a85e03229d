import fs from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Fault, SandboxOptions } from "../../../src/sandbox/index.js";
import type { Stage } from "../agentctl.js";
import { readReceipt } from "../ask-clouds.js";
import { countRequests, expectNothingLeft, expectRefusal, neverRun } from "../refusal.js";
import { endHeldRuns, newFile, startHeld } from "./held-run.js";
import { ledgerIds } from "./ledger-view.js";
import { expectNothingAlive } from "./processes.js";
import {
  deniesOf,
  iamRequests,
  openRevokingStage,
  REVOCABLE,
  REVOKER,
  ROLE,
  TAKEN_BACK,
  tryKeys,
  withRole,
} from "./revoking-stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

let stage: Stage;
beforeAll(async () => {
  stage = await openRevokingStage();
});
afterEach(() => stage.sandbox.faults.clear());
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

interface BeforeRow {
  readonly name: string;
  readonly profile?: string;
  readonly world?: SandboxOptions;
  readonly faults?: readonly Fault[];
  readonly code: number;
  readonly error: string;
  readonly says: readonly RegExp[];
}

const UNBOUND = withRole(ROLE, ({ permissionsBoundary: _, ...role }) => role);
const nobody = { Version: "2012-10-17", Statement: [] };
const UNTRUSTED = withRole(REVOKER, (role) => ({ ...role, trust: nobody }));
const MAY_NOTHING = withRole(REVOKER, (role) => ({ ...role, policies: [] }));

/** What would keep the lease from being taken back is told before the command is started. */
const BEFORE: readonly BeforeRow[] = [
  {
    name: "the role has no permissions boundary",
    world: UNBOUND,
    code: 78,
    error: "ESCALATION_POSSIBLE",
    says: [/permissions boundary/, /hint: .*accept_escalation: true/],
  },
  {
    name: "the revoker does not trust the caller",
    world: UNTRUSTED,
    code: 77,
    error: "CLOUD_DENIED",
    says: [/agentctl-revoker/],
  },
  {
    name: "required, and the revoker does not trust the caller",
    profile: "required",
    world: UNTRUSTED,
    code: 77,
    error: "CLOUD_DENIED",
    says: [/agentctl-revoker/],
  },
  {
    name: "the revoker may not look at the role",
    world: MAY_NOTHING,
    code: 77,
    error: "CLOUD_DENIED",
    says: [/iam:GetRole|GetRole/],
  },
  {
    name: "required, and IAM is away",
    profile: "required",
    faults: [{ service: "iam", kind: "cut" }],
    code: 69,
    error: "UNREACHABLE",
    says: [/IAM/],
  },
];

describe.concurrent("before the command is started", () => {
  test.each(BEFORE)("$name: $error", async ({ profile = "demo", world, faults = [], ...want }) => {
    const own = await openRevokingStage(world);
    try {
      for (const fault of faults) own.sandbox.faults.add(fault);
      const outcome = await own.run(["run", "-p", profile, "--", ...neverRun(own)]);
      expectRefusal(outcome, want);
      expect(fs.existsSync(path.join(own.dir, "ran"))).toBe(false);
      expect(own.auditRecords()).toMatchObject([{ error: { code: want.error } }]);
      // What was issued beside the look at the revoker, and cannot be taken back either, is known and said.
      for (const id of ledgerIds(own)) expect(outcome.stderr).toContain(`finish it with agentctl lease sweep ${id}\n`);
    } finally {
      await own.close();
    }
  });

  test("IAM is away, and what cannot be known is let pass where it is not required", async () => {
    const own = await openRevokingStage();
    try {
      own.sandbox.faults.add({ service: "iam", operation: "GetRole", kind: "cut" });
      const run = await startHeld(own, "demo");
      own.sandbox.faults.clear();
      run.letGo();
      expect(await run.ended).toMatchObject({ code: 0 });
      expect(run.receipt().endings).toMatchObject([{ word: "revoked" }]);
    } finally {
      await own.close();
    }
  });

  test("accept_escalation: nobody looks for the boundary, and the lease is taken back", async () => {
    const accepting = { ttl: "15m", aws: { ...REVOCABLE, accept_escalation: true } };
    const own = await openRevokingStage(UNBOUND, {}, { accepting, near: { ...accepting, ttl: "50s" } });
    try {
      const near = await own.run(["run", "-p", "near", "--quiet", "--", "true"]);
      expect(near).toMatchObject({ code: 0, stderr: "" });
      expect(iamRequests(own)).toEqual([]);
      expect(countRequests(own, "sts", "AssumeRoleWithWebIdentity")).toBe(1);
      const run = await startHeld(own, "accepting");
      expect(iamRequests(own)).toEqual([]);
      run.letGo();
      expect(await run.ended).toMatchObject({ code: 0 });
      expect(run.receipt().endings).toMatchObject([{ word: "revoked" }]);
      expect(iamRequests(own, "GetRole")).toEqual([]);
    } finally {
      await own.close();
    }
  });
});

describe("IAM refuses at the end", () => {
  const refuse = () => stage.sandbox.faults.add({ service: "iam", operation: "PutRolePolicy", kind: "deny" });

  test.each([
    { name: "required, after a success: 79, and how to go on", profile: "required", exits: 0, code: 79 },
    { name: "required, after a failure: the command's own code", profile: "required", exits: 3, code: 3 },
    { name: "auto: the command's own code", profile: "demo", exits: 0, code: 0 },
  ])("$name; the lease stays in the ledger, and a sweep ends it", async ({ profile, exits, code }) => {
    const run = await startHeld(stage, profile, { script: `read -r _; exit ${exits}` });
    refuse();
    run.letGo();
    const outcome = await run.ended;
    expect(outcome, outcome.stderr).toMatchObject({ code });
    expect(outcome.stderr.includes("error[NOT_TAKEN_BACK]")).toBe(code === 79);
    expect(outcome.stderr).toMatch(/^agentctl: aws: failed, usable until \S+Z \(not taken back: .*AccessDenied/m);
    expect(outcome.stderr).toContain(`agentctl lease sweep ${run.id}`);
    expect(run.receipt().endings).toMatchObject([
      { word: "failed", shortfall: expect.any(String), isUnfinished: true, steps: expect.any(Array) },
    ]);
    expect(await tryKeys(stage, run.keys)).toBe("ok");
    expect(ledgerIds(stage)).toEqual([run.id]);
    expect((await stage.run(["lease", "list"])).stdout).toMatch(new RegExp(`^${run.id} +${profile} +orphaned +`, "m"));

    stage.sandbox.faults.clear();
    const swept = await stage.run(["lease", "sweep"]);
    expect(swept, swept.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(swept.stderr).toMatch(
      new RegExp(`^agentctl: lease ${run.id} on ${profile}: aws: removed, usable until \\S+Z at the latest`, "m"),
    );
    expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
    expect(deniesOf(stage, run.id)).toHaveLength(1);
    expect(run.records("lease.end")).toMatchObject([
      { endings: [{ word: "failed" }] },
      { endings: [{ word: "removed" }], endedBy: { by: "sweep" } },
    ]);
    const { child, endings, endedBy } = run.receipt();
    expect([child, endedBy]).toMatchObject([{ exitCode: exits }, { by: "sweep" }]);
    const texts = endings[0]?.steps?.map(({ text }) => text) ?? [];
    expect(texts.findIndex((text) => text.startsWith("gave up: "))).toBeGreaterThanOrEqual(0);
    expect(texts.at(-1)).toMatch(/^put the deny /);
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  });
});

test("a caller whom the cloud refuses is ended nothing: the first error is the one that is told", async () => {
  stage.sandbox.faults.add({ service: "sts", operation: "AssumeRoleWithWebIdentity", kind: "deny" });
  const receipt = newFile(stage, "refused.json");
  const before = iamRequests(stage, "PutRolePolicy").length;
  const outcome = await stage.run(["run", "-p", "demo", "--receipt", receipt, "--", ...neverRun(stage)]);
  expectRefusal(outcome, { code: 77, error: "CLOUD_DENIED", says: [/AccessDenied/] });
  expect(readReceipt(receipt)).toMatchObject({ grants: [], endings: [] });
  expect(iamRequests(stage, "PutRolePolicy").length).toBe(before);
  expectNothingLeft(stage);
});
