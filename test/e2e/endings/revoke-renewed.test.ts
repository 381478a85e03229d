import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Stage } from "../agentctl.js";
import { endLeases, openLease } from "../endpoint/open-lease.js";
import { countRequests } from "../refusal.js";
import { expectNothingAlive } from "./processes.js";
import { type AwsKeys, deniesOn, iamRequests, openRevokingStage, TAKEN_BACK, tryKeys } from "./revoking-stage.js";

const CLOCK = path.resolve(import.meta.dirname, "../programs/clock.cjs");

let stage: Stage;
beforeAll(async () => {
  stage = await openRevokingStage();
});
afterAll(async () => {
  await endLeases();
  await stage.close();
});

test("one deny ends all sessions that were issued for one lease: those before a renewal are refused as well", async () => {
  const file = stage.writeFile("clock", "0");
  const env = { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_AHEAD: file };
  const lease = await openLease(stage, "served", [], { env });
  const first = await lease.ask<AwsKeys>("aws-keys");
  // A grant of 90 s is renewed when a third of that is left; the first one's fence is not reached by then.
  stage.sandbox.clock.advance(63_000);
  fs.writeFileSync(`${file}.new`, "63000");
  fs.renameSync(`${file}.new`, file);
  let second = first;
  while (second.accessKeyId === first.accessKeyId) {
    await pause(100);
    second = await lease.ask<AwsKeys>("aws-keys");
  }
  expect([await tryKeys(stage, first), await tryKeys(stage, second)]).toEqual(["ok", "ok"]);

  const { code, receipt } = await lease.end();
  expect(code).toBe(0);
  expect(receipt).toMatchObject({ renewals: [{ cloud: "aws", renewed: 1 }], endings: [{ word: "revoked" }] });
  for (const keys of [first, second]) expect(await tryKeys(stage, keys)).toMatch(TAKEN_BACK);
  expect(deniesOn(stage)).toHaveLength(1);
  // The revoker is assumed, and the boundary looked at, before and at the end, and not for a renewal.
  expect(iamRequests(stage).map(({ operation }) => operation)).toEqual([
    "GetRole",
    "GetRole",
    "ListRolePolicies",
    "PutRolePolicy",
  ]);
  expect(countRequests(stage, "sts", "AssumeRoleWithWebIdentity")).toBe(4);
  await expectNothingAlive(stage, lease.id, [lease.agentctl.pid ?? 0]);
});
