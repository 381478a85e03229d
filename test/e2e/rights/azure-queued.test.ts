import fs from "node:fs";
import { afterAll, describe, expect, test, vi } from "vitest";
import { isRunning, poll } from "../../run/harness.js";
import { eventually, type Outcome, type Stage } from "../agentctl.js";
import { type EndedReceipt, newFile } from "../endings/held-run.js";
import { ledgerIds, readEntry } from "../endings/ledger-view.js";
import { expectNothingAlive } from "../endings/processes.js";
import { startOnTerminal, type TerminalRun } from "../endings/terminal.js";
import { AZURE } from "../three-clouds.js";
import {
  assignedNow,
  awaitQueued,
  azureStages,
  EARLY_MS,
  findSuccessors,
  jitAssigned,
  killSuccessors,
  pimRequests,
  profileOf,
} from "./azure-stage.js";
import { awaitReceipt, recordsOf, startWaiting } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 90_000 });

const MINUTE_MS = 60_000;
const CTRL_C = "\x03";

const open = azureStages({ without: profileOf(AZURE) });
const terminals: TerminalRun[] = [];
afterAll(() => {
  for (const { pid } of terminals) if (isRunning(pid)) process.kill(pid, "SIGKILL");
});

interface Short {
  readonly id: string;
  readonly receiptFile: string;
  readonly outcome: Outcome;
}

/** A run whose command is over long before Azure takes anything back; its lease stays in the ledger. */
async function runShort(stage: Stage, profile: string): Promise<Short> {
  const receiptFile = newFile(stage, "receipt.json");
  const outcome = await stage.run(["run", "-p", profile, "--receipt", receiptFile, "--", "true"]);
  const [id] = ledgerIds(stage);
  if (id === undefined) throw new Error(`no lease is in the ledger: ${outcome.stderr}`);
  return { id, receiptFile, outcome };
}

function expectTakenBack(stage: Stage, id: string, by: string, receipt: EndedReceipt): void {
  expect(assignedNow(stage)).toEqual([]);
  const end = { endedBy: { by }, endings: [{ cloud: "azure", word: "removed" }] };
  expect(recordsOf(stage, id, "lease.end").at(-1)).toMatchObject(end);
  expect(receipt).toMatchObject({ lease: id, ...end, child: { exitCode: 0 } });
}

/** As the kernel tells it; not told on macOS. */
function isInRoot(pid: number): boolean {
  if (process.platform !== "linux") return true;
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`) === "/";
  } catch {
    return false;
  }
}

/** What was said of a removal that has to wait: that it is queued, and from when on. */
const QUEUED = /Azure takes no assignment back within 5 minutes of giving it; .*from (\S+Z) on/;

describe.concurrent("a command that is over within five minutes", () => {
  test("its removal is queued, which is said; the watchdog waits, and takes it back when the time has come", async () => {
    const stage = await open();
    const startedAt = Date.now();
    const { id, receiptFile, outcome } = await runShort(stage, "seen");
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    const [line = "", from = ""] = QUEUED.exec(outcome.stderr) ?? [];
    expect(line).not.toBe("");
    expect(Date.parse(from)).toBeGreaterThan(startedAt + 5 * MINUTE_MS - 1000);
    expect(Date.parse(from)).toBeLessThan(Date.now() + 6 * MINUTE_MS);
    expect(assignedNow(stage)).toEqual(jitAssigned());
    expect(readEntry(stage, id)?.grants).toMatchObject([{ ending: { word: "expires", isUnfinished: true } }]);
    await poll(() => findSuccessors(id).some(isInRoot), "the watchdog, where nobody has anything to remove or unmount");
    expect(await awaitReceipt(receiptFile)).toMatchObject({ endings: [{ word: "expires", isUnfinished: true }] });
    // Nothing is tried before its time.
    const tried = pimRequests(stage);
    stage.passTime(2 * MINUTE_MS);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(pimRequests(stage)).toEqual(tried);
    expect(ledgerIds(stage)).toEqual([id]);

    stage.passTime(EARLY_MS - 2 * MINUTE_MS);
    await expectNothingAlive(stage, id);
    expectTakenBack(stage, id, "watchdog", await awaitReceipt(receiptFile));
  });

  test("its watchdog killed: a sweep says that it is too early, and takes it back when it is not", async () => {
    const stage = await open();
    const { id, receiptFile } = await runShort(stage, "seen");
    await killSuccessors(id);
    const early = await stage.run(["lease", "sweep"]);
    expect(early.stderr).toMatch(
      /nothing to do: its watchdog \(process \d+\) takes azure back at \S+Z; by itself azure ends at/,
    );
    expect(ledgerIds(stage)).toEqual([id]);
    expect(assignedNow(stage)).toEqual(jitAssigned());
    expect((await stage.run(["lease", "list"])).stdout).toMatch(new RegExp(`^${id} +seen +queued `, "m"));
    // Whom the sweep has left to wait for it.
    await killSuccessors(id);

    stage.passTime(EARLY_MS);
    const swept = await stage.run(["lease", "sweep"]);
    expect(swept, swept.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(swept.stderr).toMatch(
      new RegExp(`^agentctl: lease ${id} on seen: azure: removed, usable until \\S+Z at the latest`, "m"),
    );
    await expectNothingAlive(stage, id);
    expectTakenBack(stage, id, "sweep", await awaitReceipt(receiptFile));
  });

  test("its watchdog killed: the next run is not held up by it, and has another wait", async () => {
    const stage = await open();
    const { id } = await runShort(stage, "seen");
    await killSuccessors(id);
    const startedAt = Date.now();
    const next = await stage.run(["run", "-p", "without", "--", "true"]);
    expect(next, next.stderr).toMatchObject({ code: 0 });
    expect(Date.now() - startedAt).toBeLessThan(30_000);
    expect(ledgerIds(stage)).toEqual([id]);
    await killSuccessors(id);
    // Its watchdog would have had a minute for it.
    stage.passTime(EARLY_MS + MINUTE_MS);
    const later = await stage.run(["run", "-p", "without", "--", "true"]);
    expect(later.stderr).toMatch(new RegExp(`lease ${id} on seen: azure: removed`));
    // The lock of the one that was killed.
    expect(await stage.run(["lease", "sweep", "--quiet"])).toMatchObject({ code: 0 });
    await expectNothingAlive(stage, id);
    expect(assignedNow(stage)).toEqual([]);
  });
});

describe.concurrent("revoke: required", () => {
  test("the end waits in the foreground, and the assignments are seen to be gone", async () => {
    const stage = await open();
    const run = await startWaiting(stage, "required", { command: ["true"] });
    await awaitQueued(stage, run.id);
    expect(isRunning(run.pid)).toBe(true);
    stage.passTime(EARLY_MS);
    const outcome = await run.ended;
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(run.receipt()).toMatchObject({ child: { exitCode: 0 }, endings: [{ cloud: "azure", word: "revoked" }] });
    expect(assignedNow(stage)).toEqual([]);
    await expectNothingAlive(stage, run.id, [run.pid]);
  });

  test("Ctrl-C while it waits, once and again: 79 with its line, and the watchdog goes on", async () => {
    const stage = await open();
    const receiptFile = newFile(stage, "receipt.json");
    const run = startOnTerminal(stage, ["run", "-p", "required", "--receipt", receiptFile, "--", "true"]);
    terminals.push(run);
    const id = await eventually(() => ledgerIds(stage)[0]);
    await run.said(/waiting to take back what azure gave, until \S+Z/);
    run.terminal.write(CTRL_C);
    const impatience = setInterval(() => run.terminal.write(CTRL_C), 5);
    const exit = await run.exited.finally(() => clearInterval(impatience));
    expect(exit, run.output()).toMatchObject({ exitCode: 79 });
    expect(run.output()).toContain("error[NOT_TAKEN_BACK]");
    expect(ledgerIds(stage)).toEqual([id]);
    stage.passTime(EARLY_MS);
    await expectNothingAlive(stage, id, [run.pid]);
    expectTakenBack(stage, id, "watchdog", JSON.parse(fs.readFileSync(receiptFile, "utf8")) as EndedReceipt);
  });
});
