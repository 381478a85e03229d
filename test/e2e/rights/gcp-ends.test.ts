import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isRunning } from "../../run/harness.js";
import { eventually, type Stage } from "../agentctl.js";
import { endHeldRuns, startHeld } from "../endings/held-run.js";
import { ledgerIds } from "../endings/ledger-view.js";
import {
  type Binding,
  givenTo,
  JIT,
  OTHER_BUCKET,
  openGcpStage,
  oursOn,
  profileOf,
  READER,
  readOther,
  tokenOf,
  VIEWER,
} from "./gcp-stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

let stage: Stage;
beforeAll(async () => {
  stage = await openGcpStage({
    blind: profileOf(givenTo(JIT, [{ role: VIEWER, resource: "buckets/other" }], undefined)),
    untaken: profileOf(READER, { revoke: "none" }),
    short: profileOf(READER, { ttl: "4s" }),
    served: profileOf(READER, { deliver: "endpoint", credential_ttl: "90s" }),
  });
});
afterEach(() => {
  stage.sandbox.gcp.setPropagation(0);
  const isOurs = ({ condition }: Binding) => condition?.title.startsWith("agentctl-l-") === true;
  stage.sandbox.gcp.changePolicy(OTHER_BUCKET, (all) => all.filter((binding) => !isOurs(binding)));
});
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

describe("the end of it", () => {
  test("is no stronger than what was observed: without ready nothing is seen, and it is removed", async () => {
    const run = await startHeld(stage, "blind");
    run.letGo();
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    expect(oursOn(stage, OTHER_BUCKET)).toEqual([]);
    const [ending] = run.receipt().endings;
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringMatching(/no permission was named/) });
    // The delay that Google states, and until when the token lives.
    expect(ending?.detail).toContain("potentially takes 7 minutes or longer");
    expect(Date.parse(ending?.at ?? "")).toBeGreaterThan(Date.now() + 6 * 60_000);
    expect(ending?.detail).toMatch(/ends by itself at \S+Z at the latest; the token itself lives until \S+Z,/);
    // Google names no longest delay: what holds for certain is the token's own end.
    expect(ending?.until).toBeUndefined();
  });

  test("is waited for, as long as Google takes: revoked, and since when", async () => {
    const run = await startHeld(stage, "demo");
    stage.sandbox.gcp.setPropagation(2_000);
    const before = Date.now();
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    const [ending] = run.receipt().endings;
    expect(ending).toMatchObject({ word: "revoked", detail: expect.stringMatching(/ [2-9]\.\ds after that; /) });
    expect(Date.parse(ending?.at ?? "")).toBeGreaterThanOrEqual(Math.floor((before + 2_000) / 1_000) * 1_000);
    expect(await readOther(stage, tokenOf(run))).toBe(403);
  });

  test("revoke: none leaves it to its condition, and says until when", async () => {
    const run = await startHeld(stage, "untaken");
    const [ours] = oursOn(stage, OTHER_BUCKET, run.id);
    run.letGo();
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(oursOn(stage, OTHER_BUCKET)).toEqual([ours]);
    const [ending] = run.receipt().endings;
    expect(ending).toMatchObject({ word: "expires" });
    const [, until = ""] = /timestamp\("([^"]+)"\)/.exec(ours?.condition?.expression ?? "") ?? [];
    const [, told = ""] = /what was given for the lease ends by itself at (\S+Z)/.exec(ending?.detail ?? "") ?? [];
    expect(Math.abs(Date.parse(told) - Date.parse(until))).toBeLessThanOrEqual(1_000);
    expect(ledgerIds(stage)).toEqual([]);
  });

  test("comes at the deadline, though the command goes on", async () => {
    const run = await startHeld(stage, "short");
    expect(oursOn(stage, OTHER_BUCKET, run.id)).toHaveLength(1);
    await eventually(() => (oursOn(stage, OTHER_BUCKET, run.id).length === 0 ? true : undefined));
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(run.env["AGENTCTL_EXPIRES_AT"] ?? ""));
    await eventually(() => (run.entry()?.state === "ended" ? true : undefined));
    expect(isRunning(run.childPid), "its command").toBe(true);
    run.letGo();
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    expect(run.receipt().endings).toMatchObject([{ cloud: "gcp" }]);
    expect(run.receipt().endings).toHaveLength(1);
    expect(ledgerIds(stage)).toEqual([]);
  });

  test("by the endpoint it is the same: the token that it handed out is refused as well", async () => {
    const run = await startHeld(stage, "served");
    expect(await readOther(stage, tokenOf(run))).toBe(200);
    const token = tokenOf(run);
    run.letGo();
    expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
    expect(run.receipt().endings).toMatchObject([{ word: "revoked" }]);
    expect(await readOther(stage, token)).toBe(403);
    expect(oursOn(stage, OTHER_BUCKET)).toEqual([]);
  });
});

test("the audit log and the receipt tell each step of it", async () => {
  const run = await startHeld(stage, "demo");
  run.letGo();
  expect(await run.ended).toMatchObject({ code: 0 });
  const receipt = run.receipt();
  const { endings, rights } = receipt;
  expect(rights).toEqual([{ cloud: "gcp", steps: expect.any(Array) }]);
  const [gave, worked, ...more] = rights?.[0]?.steps ?? [];
  expect(more).toEqual([]);
  expect(gave?.text).toMatch(
    /^gave serviceAccount:jit@\S+ roles\/storage\.objectViewer on \/\/storage\.\S+other, as agentctl-granter@\S+$/,
  );
  expect(worked?.text).toMatch(/^storage\.objects\.get on \/\/storage\.\S+other works? for jit@\S+$/);
  for (const step of [gave, worked]) expect(step?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const ended = endings[0]?.steps?.map(({ text }) => text).join("\n") ?? "";
  expect(ended).toMatch(/^took 1 of its bindings off \/\/storage\.\S+other, as agentctl-granter@\S+$/m);
  expect(ended).toMatch(/^no longer granted, \d+\.\ds after it was taken back$/m);
  expect(run.records().map(({ kind }) => kind)).toEqual(["lease.start", "lease.end"]);
  expect(run.records("lease.start")).toMatchObject([{ rights }]);
  expect(run.records("lease.end")).toMatchObject([{ rights, endings }]);
  const verified = await stage.run(["audit", "verify"]);
  expect(verified, verified.stderr).toMatchObject({ code: 0 });
});
