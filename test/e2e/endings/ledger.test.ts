import fs from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Stage } from "../agentctl.js";
import { expectRefusal, neverRun } from "../refusal.js";
import { endHeldRuns, type HeldRun, startHeld } from "./held-run.js";
import { ledgerIds } from "./ledger-view.js";
import { findProcesses } from "./processes.js";
import { deniesOn, openRevokingStage } from "./revoking-stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

const FULL_DISK = path.resolve(import.meta.dirname, "../programs/full-disk.cjs");

let stage: Stage;
beforeAll(async () => {
  stage = await openRevokingStage();
});
afterAll(async () => {
  endHeldRuns();
  await stage.close();
});

/** What was asked of the clouds. */
const asked = () => stage.sandbox.requests().filter(({ service }) => service !== "oidc");

describe("a ledger that cannot be written", () => {
  test.each([
    {
      name: "the disk is full",
      prepare: (dir: string) => ({ NODE_OPTIONS: `--require ${FULL_DISK}`, FULL_BELOW: path.join(dir, "leases") }),
      says: /cannot write .*: the disk is full/,
    },
    {
      name: "a file stands in its place",
      prepare: (dir: string) => {
        fs.writeFileSync(path.join(dir, "leases"), "");
        return {};
      },
      says: /leases is not a directory/,
    },
    {
      name: "a link to elsewhere stands in its place",
      prepare: (dir: string) => {
        fs.symlinkSync(stage.dir, path.join(dir, "leases"));
        return {};
      },
      says: /leases is not a directory/,
    },
  ])("$name: nothing is issued", async ({ prepare, says }) => {
    const dir = fs.mkdtempSync(path.join(stage.dir, "state-"));
    const before = asked().length;
    const outcome = await stage.run(["run", "-p", "demo", "--", ...neverRun(stage)], {
      env: { AGENTCTL_STATE_DIR: dir, ...prepare(dir) },
    });
    expectRefusal(outcome, { code: 74, error: "STATE_UNWRITABLE", says: [says] });
    expect(asked()).toHaveLength(before);
    expect(fs.existsSync(path.join(stage.dir, "ran"))).toBe(false);
    expect(findProcesses(dir)).toEqual([]);
  });

  test("a disk that fills up once the lease was issued: the command is not started, and the lease is taken back", async () => {
    const env = {
      NODE_OPTIONS: `--require ${FULL_DISK}`,
      FULL_BELOW: path.join(stage.stateDir, "leases"),
      FULL_AFTER: "1",
    };
    const before = deniesOn(stage).length;
    const outcome = await stage.run(["run", "-p", "demo", "--", ...neverRun(stage)], { env });
    expectRefusal(outcome, { code: 74, error: "STATE_UNWRITABLE", says: [/the disk is full/, /aws: revoked since/] });
    expect(fs.existsSync(path.join(stage.dir, "ran"))).toBe(false);
    expect(deniesOn(stage)).toHaveLength(before + 1);
    expect(ledgerIds(stage)).toEqual([]);
  });
});

describe("lease list and show", () => {
  let demo: HeldRun;
  let other: HeldRun;
  beforeAll(async () => {
    [demo, other] = await Promise.all([startHeld(stage, "demo"), startHeld(stage, "required")]);
  });

  const lease = (...args: string[]) => stage.run(["lease", ...args]);

  test.each([
    { name: "of a profile", args: ["-p", "demo"], want: () => [demo.id] },
    { name: "of a profile that has none", args: ["-p", "none"], want: () => [] },
    { name: "in a state", args: ["--state", "running"], want: () => [demo.id, other.id] },
    { name: "in either of two", args: ["--state", "orphaned", "--state", "ended"], want: () => [] },
    { name: "of an age", args: ["--older-than", "1h"], want: () => [] },
    { name: "of a lower age", args: ["--older-than", "1s"], want: () => [demo.id, other.id] },
  ])("list: those $name", async ({ args, want }) => {
    const human = await lease("list", ...args);
    expect(human).toMatchObject({ code: 0 });
    expect(human.stderr).toBe(want().length === 0 ? "agentctl: no such leases\n" : "");
    const json = await lease("list", ...args, "--json");
    const ids = (JSON.parse(json.stdout) as { id: string }[]).map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(want()));
    for (const id of want()) expect(human.stdout).toMatch(new RegExp(`^${id} +\\w+ +running +`, "m"));
  });

  test("show tells an open lease's story, by the beginning of its id", async () => {
    const { code, stdout, stderr } = await lease("show", demo.id.slice(0, 10));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [headline = "", ...facts] = stdout.trimEnd().split("\n");
    expect(headline).toBe(
      `${demo.id} on demo: running, its agentctl is process ${demo.pid}, its command process ${demo.childPid}`,
    );
    expectInOrder(facts);
    const story = facts.join("\n");
    for (const told of [
      /opened for repo:acme\/site:ref:refs\/heads\/main \(github-actions, automation\) until \S+Z, to run sh$/m,
      /aws: asked for credentials of arn:aws:\S+agentctl-demo/,
      /aws: issued, usable until \S+Z, expires \S+Z$/m,
    ]) {
      expect(story).toMatch(told);
    }
    const json = JSON.parse((await lease("show", demo.id, "--json")).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({
      id: demo.id,
      state: "running",
      profile: "demo",
      pid: demo.pid,
      childPid: demo.childPid,
    });
    expect(json["story"]).toHaveLength(facts.length);
  });

  test("show tells an ended lease's story, with every step of its end and the times", async () => {
    other.letGo();
    await other.ended;
    const { code, stdout } = await lease("show", other.id);
    expect(code).toBe(0);
    const [headline, ...facts] = stdout.trimEnd().split("\n");
    expect(headline).toBe(`${other.id} on required: closed`);
    expectInOrder(facts);
    const story = facts.join("\n");
    for (const told of [
      /started sh for repo:acme\/site:ref:refs\/heads\/main/,
      /aws: issued as arn:aws:sts::\S+, usable until \S+Z, expires \S+Z$/m,
      /the command \(sh\) ended with exit 0$/m,
      /assumed arn:\S+agentctl-revoker/,
      /put the deny agentctl-revoke-\d+-l-/,
      /refused by STS in us-east-1, \d/,
      /aws: revoked since \S+Z/,
    ]) {
      expect(story).toMatch(told);
    }
    const json = JSON.parse((await lease("show", other.id, "--json")).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ id: other.id, state: "closed", profile: "required" });
    expect((json["records"] as { kind: string }[]).map(({ kind }) => kind)).toEqual(["lease.start", "lease.end"]);
  });

  test.each([
    { name: "a beginning that several have", typed: "l-", says: () => new RegExp(`${demo.id}|${other.id}`) },
    { name: "an id that is none", typed: "l-0000000000000000", says: () => /no lease/ },
  ])("show: $name: 64", async ({ typed, says }) => {
    const outcome = await lease("show", typed);
    expect(outcome).toMatchObject({ code: 64, stdout: "" });
    expect(outcome.stderr).toMatch(/^agentctl: error\[USAGE\]: /);
    expect(outcome.stderr).toMatch(says());
  });

  test("sweep leaves a lease alone whose agentctl is alive, and says so", async () => {
    expect(await lease("sweep")).toMatchObject({ code: 0, stderr: "agentctl: no lease needs sweeping\n" });
    const named = await lease("sweep", demo.id, "--json");
    expect(JSON.parse(named.stdout)).toMatchObject({ leases: [{ id: demo.id, outcome: "running", endings: [] }] });
    expect(ledgerIds(stage)).toEqual([demo.id]);
    demo.letGo();
    expect(await demo.ended).toMatchObject({ code: 0 });
  });
});

/** One line a fact, each with its time, oldest first. */
function expectInOrder(facts: readonly string[]): void {
  const times = facts.map((line) => /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) {2}\S/.exec(line)?.[1]);
  expect(times).not.toContain(undefined);
  expect(times).toEqual([...times].sort());
}
