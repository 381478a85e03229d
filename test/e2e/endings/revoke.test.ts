import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Stage } from "../agentctl.js";
import { endHeldRuns, startHeld } from "./held-run.js";
import { expectNothingAlive } from "./processes.js";
import {
  deniesOf,
  deniesOn,
  iamRequests,
  openRevokingStage,
  REVOKER,
  ROLE,
  TAKEN_BACK,
  tryKeys,
} from "./revoking-stage.js";

let stage: Stage;
beforeAll(async () => {
  stage = await openRevokingStage();
});
afterEach(() => stage.sandbox.iam.setPropagation(0));
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

describe("a run with a revoker", () => {
  test("ends revoked: its keys are refused by S3 as well, nobody else's are, and the receipt tells how", async () => {
    const other = await startHeld(stage, "demo");
    const run = await startHeld(stage, "demo");
    expect(await tryKeys(stage, run.keys)).toBe("ok");
    expect(deniesOn(stage)).toEqual([]);
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0, stdout: "" });

    expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
    expect(await tryKeys(stage, other.keys)).toBe("ok");
    const [deny = ""] = deniesOn(stage);
    expect(deny).toMatch(new RegExp(`^agentctl-revoke-\\d{10}-${run.id}$`));
    expect(stage.sandbox.rolePolicies(ROLE)[deny]).toMatchObject({
      Statement: {
        Effect: "Deny",
        Action: "*",
        Resource: "*",
        Condition: { StringLike: { "aws:userid": `*:agentctl-${run.id}` } },
      },
    });

    const { endings } = run.receipt();
    expect(endings).toMatchObject([{ cloud: "aws", word: "revoked" }]);
    expect(endings[0]).not.toHaveProperty("shortfall");
    const { at = "", until = "", detail = "", steps = [] } = endings[0] ?? {};
    expect(Date.parse(until)).toBeGreaterThan(Date.parse(at));
    expect(detail).toMatch(
      /^STS in us-east-1 refused the session because of the deny on \S+, \d+\.\ds after it was put there; /,
    );
    expect(detail).toContain("GetCallerIdentity");
    const times = steps.map((step) => step.at);
    expect(times).toEqual([...times].sort());
    expect(times.every((time) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time))).toBe(true);
    const texts = steps.map(({ text }) => text).join("\n");
    for (const told of [REVOKER, deny, ROLE, "us-east-1"]) expect(texts).toContain(told);
    expect(run.stderr()).toMatch(
      /^agentctl: aws: revoked since \S+Z; GetCallerIdentity and the like work until \S+Z$/m,
    );
    expect(run.records().map(({ kind }) => kind)).toEqual(["lease.start", "lease.end"]);
    expect(run.records("lease.end")).toMatchObject([{ endings }]);
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);

    other.letGo();
    expect(await other.ended).toMatchObject({ code: 0 });
    expect(await tryKeys(stage, other.keys)).toMatch(TAKEN_BACK);
  });

  test("waits until the deny counts, and tells how long that took", async () => {
    stage.sandbox.iam.setPropagation(1_500);
    const run = await startHeld(stage, "demo");
    const before = Date.now();
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    const [ending] = run.receipt().endings;
    expect(ending?.word).toBe("revoked");
    expect(Date.parse(ending?.at ?? "")).toBeGreaterThanOrEqual(Math.floor((before + 1_500) / 1_000) * 1_000);
    expect(ending?.detail).toMatch(/, [1-9]\d?\.\ds after it was put there; /);
    expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
  });

  test("with --quiet says nothing of it", async () => {
    const outcome = await stage.run(["run", "-p", "demo", "--quiet", "--", "true"]);
    expect(outcome).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
  });

  test.each([
    { name: "what is not to be taken back is not", profile: "none", says: "fenced" },
    { name: "a fence that is near comes sooner than IAM would", profile: "short", says: "fenced" },
  ])("$name: nothing is written", async ({ profile, says }) => {
    const before = iamRequests(stage).length;
    const run = await startHeld(stage, profile);
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(run.receipt().endings).toMatchObject([{ word: says }]);
    expect(run.receipt().endings[0]).not.toHaveProperty("shortfall");
    expect(deniesOf(stage, run.id)).toEqual([]);
    const asked = iamRequests(stage).slice(before);
    expect(asked.filter(({ operation }) => operation !== "GetRole")).toEqual([]);
    if (profile === "none") expect(asked).toEqual([]);
  });
});
