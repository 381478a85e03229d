import fs from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isRunning } from "../../run/harness.js";
import { eventually, outcomeOf, type Stage } from "../agentctl.js";
import { type HeldLatency, holdLatency } from "../faults/held-latency.js";
import { expectNothingLeft, neverRun } from "../refusal.js";
import { GCP } from "../three-clouds.js";
import { type EndedReceipt, newFile } from "./held-run.js";
import { ledgerIds } from "./ledger-view.js";
import { expectNothingAlive } from "./processes.js";
import { deniesOf, deniesOn, openRevokingStage, REVOCABLE } from "./revoking-stage.js";
import { startOnTerminal } from "./terminal.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

const CTRL_C = "\x03";

let stage: Stage;
let latency: HeldLatency;
const started = new Set<number>();
beforeAll(async () => {
  latency = holdLatency();
  stage = await openRevokingStage({}, latency.host, { two: { ttl: "15m", aws: REVOCABLE, gcp: GCP } });
});
afterEach(() => {
  stage.sandbox.faults.clear();
  stage.sandbox.iam.setPropagation(0);
  latency.release();
  for (const pid of started) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  started.clear();
});
afterAll(() => stage.close());

/** agentctl on a terminal or without one, which is interrupted as one does there. */
interface Interrupted {
  readonly pid: number;
  said(pattern: RegExp): Promise<unknown>;
  interrupt(): void;
  readonly code: Promise<number>;
}

function onTerminal(args: readonly string[]): Interrupted {
  const run = startOnTerminal(stage, args);
  started.add(run.pid);
  const code = run.exited.then(({ exitCode, signal = 0 }) => (signal === 0 ? exitCode : 128 + signal));
  return { ...run, code, interrupt: () => run.terminal.write(CTRL_C) };
}

function bySigterm(args: readonly string[]): Interrupted {
  const child = stage.start(args, { detached: true });
  const pid = child.pid ?? 0;
  started.add(pid);
  let heard = "";
  child.stderr?.on("data", (text) => {
    heard += String(text);
  });
  return {
    pid,
    said: (pattern) => eventually(() => pattern.test(heard)),
    interrupt: () => child.kill("SIGTERM"),
    code: outcomeOf(child).then(({ code }) => code ?? -1),
  };
}

const WAYS = [
  { name: "Ctrl-C", start: onTerminal, code: 130 },
  { name: "SIGTERM", start: bySigterm, code: 143 },
];

describe.each(WAYS)("$name while the lease is issued", ({ start, code }) => {
  test("the command is not started, nothing is waited for, and nothing is left", async () => {
    const receipt = newFile(stage, "receipt.json");
    stage.sandbox.faults.add({ service: "sts", operation: "AssumeRoleWithWebIdentity", kind: "latency" });
    const run = start(["run", "-p", "demo", "--receipt", receipt, "--", ...neverRun(stage)]);
    await eventually(() => latency.held === 2);
    const [id = ""] = ledgerIds(stage);
    run.interrupt();
    expect(await run.code).toBe(code);
    expect(latency.release()).toBe(2);
    await expectNothingAlive(stage, id, [run.pid]);
    expectNothingLeft(stage);
    expect(readReceipt(receipt)).toMatchObject({ lease: id, grants: [], endings: [], error: { code: "INTERRUPTED" } });
    expect(stage.auditRecords().at(-1)).toMatchObject({ kind: "lease.failed", error: { code: "INTERRUPTED" } });
  });

  test("what one cloud has granted by then is taken back", async () => {
    const receipt = newFile(stage, "receipt.json");
    const before = stage.sandbox.requests().length;
    stage.sandbox.faults.add({ service: "gcp-sts", kind: "latency" });
    const run = start(["run", "-p", "two", "--receipt", receipt, "--", ...neverRun(stage)]);
    // The look at the role's boundary comes well after AWS's grant.
    const isLookedAt = () =>
      stage.sandbox
        .requests()
        .slice(before)
        .some(({ operation }) => operation === "GetRole");
    await eventually(() => latency.held === 1 && isLookedAt());
    const [id = ""] = ledgerIds(stage);
    run.interrupt();
    expect(await run.code).toBe(code);
    expectNothingLeft(stage);
    await expectNothingAlive(stage, id, [run.pid]);
    const { grants, endings } = readReceipt(receipt);
    expect(grants).toMatchObject([{ cloud: "aws" }]);
    expect(endings).toMatchObject([{ cloud: "aws", word: "revoked" }]);
    expect(deniesOf(stage, id)).toHaveLength(1);
  });
});

describe.each(WAYS)("$name while the lease is taken back", ({ start }) => {
  test("once: what takes effect is not waited for", async () => {
    stage.sandbox.iam.setPropagation(600_000);
    const receipt = newFile(stage, "receipt.json");
    const before = deniesOn(stage).length;
    const run = start(["run", "-p", "required", "--receipt", receipt, "--", "true"]);
    await eventually(() => deniesOn(stage).length > before);
    const interruptedAt = Date.now();
    run.interrupt();
    await run.said(
      /agentctl: ending the lease, without watching it take effect; interrupt again to leave the rest to its watchdog/,
    );
    expect(await run.code).toBe(0);
    expect(Date.now() - interruptedAt).toBeLessThan(10_000);
    const { lease, endings } = readReceipt(receipt);
    expect(endings).toMatchObject([{ word: "removed" }]);
    expect(endings[0]).not.toHaveProperty("shortfall");
    await expectNothingAlive(stage, lease, [run.pid]);
  });

  test.each([
    { profile: "demo", code: 0 },
    { profile: "required", code: 79 },
  ])(
    "twice, on $profile: the rest is left to the watchdog, which is said, and it goes on",
    async ({ profile, code }) => {
      const receipt = newFile(stage, "receipt.json");
      stage.sandbox.faults.add({ service: "iam", operation: "PutRolePolicy", kind: "latency", times: 1 });
      const run = start(["run", "-p", profile, "--receipt", receipt, "--", "true"]);
      await eventually(() => latency.held === 1);
      const [id = ""] = ledgerIds(stage);
      run.interrupt();
      await run.said(/agentctl: ending the lease, without watching it take effect;/);
      run.interrupt();
      await run.said(new RegExp(`agentctl: warning: lease ${id} stays in the ledger: its watchdog goes on with aws`));
      expect(await run.code).toBe(code);
      await expectFinishedByWatchdog(id, run.pid);
      expect(readReceipt(receipt)).toMatchObject({
        lease: id,
        endings: [{ word: "removed" }],
        endedBy: { by: "watchdog" },
        child: { exitCode: 0 },
      });
    },
  );

  test("three times: it is gone at once, and the watchdog ends the lease", async () => {
    stage.sandbox.faults.add({ service: "iam", operation: "PutRolePolicy", kind: "latency", times: 1 });
    const receipt = newFile(stage, "receipt.json");
    const run = start(["run", "-p", "demo", "--receipt", receipt, "--", "true"]);
    await eventually(() => latency.held === 1);
    const [id = ""] = ledgerIds(stage);
    // So that they come all together, and none finds it gone already.
    process.kill(run.pid, "SIGSTOP");
    for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGCONT"]) process.kill(run.pid, signal);
    const interruptedAt = Date.now();
    await run.code;
    expect(Date.now() - interruptedAt).toBeLessThan(5_000);
    await expectFinishedByWatchdog(id, run.pid);
    expect(readReceipt(receipt)).toMatchObject({
      lease: id,
      endings: [{ word: "removed" }],
      endedBy: { by: "watchdog" },
    });
  });
});

async function expectFinishedByWatchdog(id: string, pid: number): Promise<void> {
  await expectNothingAlive(stage, id, [pid]);
  expect(deniesOf(stage, id)).toHaveLength(1);
  const ends = stage.auditRecords().filter(({ kind, lease }) => kind === "lease.end" && lease === id);
  expect(ends.at(-1)).toMatchObject({ endedBy: { by: "watchdog" }, endings: [{ word: "removed" }] });
}

function readReceipt(file: string): EndedReceipt {
  return JSON.parse(fs.readFileSync(file, "utf8")) as EndedReceipt;
}
