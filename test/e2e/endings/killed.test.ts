import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { poll } from "../../run/harness.js";
import { eventually, outcomeOf, type Stage } from "../agentctl.js";
import { type HeldLatency, holdLatency } from "../faults/held-latency.js";
import { neverRun } from "../refusal.js";
import { type EndedReceipt, endHeldRuns, type HeldRun, heldCommand, newFile, startHeld } from "./held-run.js";
import { ledgerIds } from "./ledger-view.js";
import { expectNothingAlive, findWatchdog, treeOf } from "./processes.js";
import { deniesOf, iamRequests, openRevokingStage, TAKEN_BACK, tryKeys } from "./revoking-stage.js";
import { startOnTerminal, startShell } from "./terminal.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 60_000 });

let stage: Stage;
let latency: HeldLatency;
beforeAll(async () => {
  latency = holdLatency();
  stage = await openRevokingStage({}, latency.host);
});
afterAll(async () => {
  latency.release();
  endHeldRuns();
  await stage.close();
});

/** By the watchdog, on record, with a receipt, and with nothing left. */
function expectFinished(run: Pick<HeldRun, "id" | "records" | "receipt">, profile: string, stderr: string): void {
  const end = { endedBy: { by: "watchdog", pid: expect.any(Number) }, endings: [{ cloud: "aws", word: "removed" }] };
  expect(run.records("lease.end")).toMatchObject([end]);
  expect(run.receipt()).toMatchObject({ lease: run.id, profile, ...end });
  expect(fs.readdirSync(stage.dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(stderr).toMatch(
    new RegExp(`^agentctl: lease ${run.id} on ${profile}: aws: removed, usable until \\S+Z at the latest`, "m"),
  );
}

describe("agentctl is killed while its command runs", () => {
  test.each([
    { name: "and ends when it is told to", profile: "demo", trap: "", killed: false },
    { name: "and has to be killed", profile: "stopped", trap: 'trap "" TERM; ', killed: true },
    { name: "with its keys by the endpoint", profile: "served", trap: "", killed: false },
  ])("$name: the watchdog ends it, its daemon and its lease", async ({ profile, trap, killed }) => {
    const file = newFile(stage, "daemon");
    const daemon = `(setsid sh -c '${trap}echo $$ > ${file}; exec sleep 300' </dev/null >/dev/null 2>&1 &)`;
    const run = await startHeld(stage, profile, { script: `${daemon}; ${trap}while :; do sleep 0.2; done` });
    const daemonPid = await poll(() => fs.existsSync(file) && Number(fs.readFileSync(file, "utf8")), "the daemon");
    process.kill(run.pid, "SIGKILL");
    expect(await run.ended).toMatchObject({ code: null, signal: "SIGKILL" });
    await expectNothingAlive(stage, run.id, [run.childPid, daemonPid]);
    if (profile !== "served") expect(await tryKeys(stage, run.keys)).toMatch(TAKEN_BACK);
    expect(deniesOf(stage, run.id)).toHaveLength(1);
    expectFinished(run, profile, run.stderr());
    const { strays } = run.receipt().endedBy ?? {};
    expect(strays?.["found"]).toBeGreaterThanOrEqual(2);
    expect(Number(strays?.["killed"]) > 0).toBe(killed);
  });

  test("with all that descends from it: the watchdog is not among them", async () => {
    const run = await startHeld(stage, "demo", { script: "sleep 300 & wait" });
    const watchdog = findWatchdog(run.id);
    const tree = treeOf(run.pid);
    expect(tree.length).toBeGreaterThanOrEqual(3);
    expect(tree).not.toContain(watchdog);
    for (const pid of tree) process.kill(pid, "SIGKILL");
    await run.ended;
    await expectNothingAlive(stage, run.id, tree);
    expectFinished(run, "demo", run.stderr());
  });

  test.each([
    { name: "is closed", killed: false },
    { name: "is closed, and agentctl killed with it", killed: true },
  ])("its terminal $name", async ({ killed }) => {
    const [envFile, receipt] = [newFile(stage, "env"), newFile(stage, "receipt.json")];
    const command = heldCommand(envFile, "while :; do sleep 0.2; done");
    const run = startOnTerminal(stage, ["run", "-p", "demo", "--receipt", receipt, "--", ...command]);
    await poll(() => fs.existsSync(envFile), "the command");
    const [id = ""] = ledgerIds(stage);
    const tree = treeOf(run.pid);
    if (killed) process.kill(run.pid, "SIGKILL");
    (run.terminal as unknown as { destroy(): void }).destroy();
    await expectNothingAlive(stage, id, tree);
    expect(deniesOf(stage, id)).toHaveLength(1);
    const told = await eventually(
      () => fs.existsSync(receipt) && (JSON.parse(fs.readFileSync(receipt, "utf8")) as EndedReceipt),
    );
    expect(told).toMatchObject({ lease: id, endings: [{ word: expect.stringMatching(/^(revoked|removed)$/) }] });
    expect(told.endedBy?.by).toBe(killed ? "watchdog" : undefined);
  });
});

describe("agentctl is killed", () => {
  test("while it is issuing: what may have been issued is denied all the same", async () => {
    const receipt = newFile(stage, "receipt.json");
    stage.sandbox.faults.add({ service: "sts", operation: "AssumeRoleWithWebIdentity", kind: "latency" });
    const agentctl = stage.start(["run", "-p", "demo", "--receipt", receipt, "--", ...neverRun(stage)], {
      detached: true,
    });
    const ended = outcomeOf(agentctl);
    // The lease's own, and the revoker's.
    await eventually(() => latency.held === 2);
    stage.sandbox.faults.clear();
    const [id = ""] = ledgerIds(stage);
    agentctl.kill("SIGKILL");
    latency.release();
    const { stderr } = await ended;
    await expectNothingAlive(stage, id, [agentctl.pid ?? 0]);
    expect(deniesOf(stage, id)).toHaveLength(1);
    const records = (kind?: string) =>
      stage.auditRecords().filter((record) => record["lease"] === id && record["kind"] === kind);
    const readReceipt = () => JSON.parse(fs.readFileSync(receipt, "utf8")) as EndedReceipt;
    expectFinished({ id, records, receipt: readReceipt }, "demo", stderr);
    expect(fs.existsSync(`${stage.dir}/ran`)).toBe(false);
  });

  test("and its watchdog at work: a sweep waits for that, as at the end of a job", async () => {
    const run = await startHeld(stage, "demo", { script: "sleep 300" });
    stage.sandbox.faults.add({ service: "iam", operation: "PutRolePolicy", kind: "latency", times: 1 });
    process.kill(run.pid, "SIGKILL");
    await eventually(() => latency.held === 1);
    const sweep = stage.start(["lease", "sweep"]);
    let heard = "";
    sweep.stderr?.on("data", (text) => {
      heard += String(text);
    });
    const [, pid] = await eventually(
      () => /^agentctl: waiting for process (\d+), which is ending lease l-/m.exec(heard) ?? undefined,
    );
    expect(treeOf(Number(pid))).toContain(Number(pid));
    expect(sweep.exitCode).toBe(null);
    latency.release();
    expect(await outcomeOf(sweep)).toMatchObject({ code: 0 });
    expect(heard.split("\n")).toEqual([
      `agentctl: waiting for process ${pid}, which is ending lease ${run.id}`,
      `agentctl: lease ${run.id} on demo: it has ended by itself`,
      "",
    ]);
    await run.ended;
    await expectNothingAlive(stage, run.id, [run.childPid]);
    expectFinished(run, "demo", run.stderr());
  });

  test("on a terminal that has its prompt again: that stays, and the report comes below it", async () => {
    const envFile = newFile(stage, "env");
    stage.sandbox.faults.add({ service: "iam", operation: "PutRolePolicy", kind: "latency", times: 1 });
    const command = heldCommand(envFile, "sleep 300");
    const shell = startShell(stage, '"$@"; printf "prompt>"; read -r _', ["run", "-p", "demo", "--", ...command]);
    await poll(() => fs.existsSync(envFile), "the command");
    const [id = ""] = ledgerIds(stage);
    const owner = treeOf(shell.pid).find((pid) => pid !== shell.pid) ?? 0;
    process.kill(owner, "SIGKILL");
    await eventually(() => latency.held === 1);
    // As long as progress would take to be drawn.
    await new Promise((resolve) => setTimeout(resolve, 600));
    latency.release();
    await shell.said(new RegExp(`prompt>\\r\\nagentctl: lease ${id} on demo: aws: removed, `));
    expect(shell.output()).not.toContain("\u001b[K");
    shell.terminal.write("\r");
    expect(await shell.exited).toMatchObject({ exitCode: 0 });
    await expectNothingAlive(stage, id, [owner]);
  });

  test("while the deny is being written, or takes effect: it is there once", async () => {
    const run = await startHeld(stage, "demo");
    stage.sandbox.faults.add({ service: "iam", operation: "PutRolePolicy", kind: "latency", times: 1 });
    run.letGo();
    await eventually(() => latency.held === 1);
    process.kill(run.pid, "SIGKILL");
    latency.release();
    await run.ended;
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
    expect(deniesOf(stage, run.id)).toHaveLength(1);
    expectFinished(run, "demo", run.stderr());

    stage.sandbox.iam.setPropagation(600_000);
    const other = await startHeld(stage, "demo");
    other.letGo();
    await eventually(() => deniesOf(stage, other.id).length === 1);
    const written = iamRequests(stage, "PutRolePolicy").length;
    process.kill(other.pid, "SIGKILL");
    await other.ended;
    stage.sandbox.iam.setPropagation(0);
    await expectNothingAlive(stage, other.id, [other.pid, other.childPid]);
    expect(iamRequests(stage, "PutRolePolicy")).toHaveLength(written);
    expectFinished(other, "demo", other.stderr());
  });
});
