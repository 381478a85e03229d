import path from "node:path";
import { expect, test, vi } from "vitest";
import { defaultAzure } from "../../../src/sandbox/azure/world.js";
import { startHeld } from "../endings/held-run.js";
import { ledgerIds } from "../endings/ledger-view.js";
import { expectNothingAlive } from "../endings/processes.js";
import { expectNothingLeft, expectRefusal, neverRun } from "../refusal.js";
import {
  assignBeside,
  assignedNow,
  azureStages,
  CONTAINER,
  FIRST,
  JIT,
  MAY,
  MAY_NOT,
  profileOf,
  READY,
  SUBSCRIPTION,
  tryTokens,
} from "./azure-stage.js";
import { killBoth } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 90_000 });

const PLAIN = { ...JIT, allow_unbounded: true };

const open = azureStages(
  {
    plain: profileOf({ ...PLAIN, ready: READY }),
    unseen: profileOf({ ...PLAIN, ready: { ...READY, timeout: "2s" } }),
    left: profileOf(PLAIN, { revoke: "none" }),
  },
  { world: { azure: { ...defaultAzure(), hasPimLicence: false } } },
);

const BOTH = [
  { role: "Reader", scope: SUBSCRIPTION, to: FIRST, isTimeBound: false },
  { role: "Storage Blob Data Reader", scope: CONTAINER, to: FIRST, isTimeBound: false },
];

test.each(["plain", "left"])(
  "on %s, where the tenant has no licence: assigned without an end, and deleted at once",
  async (profile) => {
    const stage = await open();
    const run = await startHeld(stage, profile);
    expect(assignedNow(stage)).toEqual(BOTH);
    expect(await tryTokens(stage, run.env)).toEqual(MAY);
    run.letGo();
    const outcome = await run.ended;
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(assignedNow(stage)).toEqual([]);
    expect(await tryTokens(stage, run.env)).toEqual(MAY_NOT);
    expect(run.receipt().endings).toMatchObject([{ word: profile === "plain" ? "revoked" : "removed" }]);
    await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  },
);

test("rights that do not work in time leave nothing", async () => {
  const stage = await open();
  stage.sandbox.azureRoles.setPropagation(600_000);
  const outcome = await stage.run(["run", "-p", "unseen", "--", ...neverRun(stage)]);
  expectRefusal(outcome, { code: 69, error: "NOT_READY", says: [] });
  expect(assignedNow(stage)).toEqual([]);
  expectNothingLeft(stage);
});

test("agentctl is killed: the watchdog deletes them", async () => {
  const stage = await open();
  const run = await startHeld(stage, "plain");
  process.kill(run.pid, "SIGKILL");
  await run.ended;
  await expectNothingAlive(stage, run.id, [run.pid, run.childPid]);
  expect(assignedNow(stage)).toEqual([]);
  expect(run.receipt()).toMatchObject({ endedBy: { by: "watchdog" }, endings: [{ word: "removed" }] });
});

test("the machine is gone: another's sweep --cloud deletes those whose lease is over, and no others", async () => {
  const stage = await open();
  await assignBeside(stage, { role: "Reader", scope: CONTAINER, to: FIRST });
  const run = await startHeld(stage, "plain");
  await killBoth(run);
  const elsewhere = { AGENTCTL_STATE_DIR: path.join(stage.dir, "elsewhere") };
  const sweep = () => stage.run(["lease", "sweep", "--cloud", "-p", "plain", "--json"], { env: elsewhere });
  const early = await sweep();
  expect(early, early.stderr).toMatchObject({ code: 0 });
  const told = (json: string) => JSON.parse(json) as { clouds: { removed: string[]; kept: unknown[] }[] };
  expect(told(early.stdout).clouds).toMatchObject([{ cloud: "azure", removed: [], kept: [{}, {}] }]);
  expect(assignedNow(stage)).toHaveLength(3);

  stage.passTime(45 * 60_000);
  const late = await sweep();
  expect(late, late.stderr).toMatchObject({ code: 0 });
  expect(told(late.stdout).clouds).toMatchObject([
    { kept: [], removed: [expect.stringContaining(run.id), expect.stringContaining(run.id)] },
  ]);
  expect(assignedNow(stage)).toMatchObject([{ role: "Reader", scope: CONTAINER }]);
  expect(ledgerIds(stage)).toEqual([run.id]);
});
