import fs from "node:fs";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { DEMO_CLIENT } from "../../../src/sandbox/azure/world.js";
import type { Fault } from "../../../src/sandbox/index.js";
import { eventually, type RunOptions, type Stage } from "../agentctl.js";
import { readReceipt } from "../ask-clouds.js";
import { newFile } from "../endings/held-run.js";
import { ledgerIds } from "../endings/ledger-view.js";
import { expectNothingAlive } from "../endings/processes.js";
import { expectNothingLeft, expectRefusal, neverRun } from "../refusal.js";
import type { Block } from "../three-clouds.js";
import {
  assignedNow,
  azureStages,
  EARLY_MS,
  JIT,
  PIM_CREATE,
  pimRequests,
  profileOf,
  READY,
  SUBSCRIPTION,
} from "./azure-stage.js";
import { startWaiting } from "./stage.js";

// Many processes a test, and a busy machine starts slowly.
vi.setConfig({ testTimeout: 90_000 });

const UNKNOWN_CLIENT = "99990000-aaaa-bbbb-cccc-ddddeeeeffff";
const UNKNOWN_GROUP = `${SUBSCRIPTION}/resourceGroups/nowhere`;
const assigning = (role: string, scope = SUBSCRIPTION): Block => profileOf({ ...JIT, assignments: [{ role, scope }] });

const PROFILES: Readonly<Record<string, Block>> = {
  "unknown-granter": profileOf({ ...JIT, granter: { client_id: UNKNOWN_CLIENT } }),
  "no-granter": profileOf({ ...JIT, granter: { client_id: DEMO_CLIENT } }),
  contributor: assigning("Contributor"),
  misnamed: assigning("Reeder"),
  nowhere: assigning("Reader", UNKNOWN_GROUP),
  unseen: profileOf({ ...JIT, ready: { ...READY, timeout: "2s" } }),
  "never-there": profileOf({
    ...JIT,
    ready: { permissions: ["Microsoft.Compute/virtualMachines/delete"], at: SUBSCRIPTION, timeout: "2s" },
  }),
};

const open = azureStages(PROFILES);

function runRefused(stage: Stage, profile: string, options: RunOptions = {}) {
  const receipt = newFile(stage, "receipt.json");
  const outcome = stage.run(["run", "-p", profile, "--receipt", receipt, "--", ...neverRun(stage)], options);
  return outcome.then((told) => ({ outcome: told, receipt }));
}

interface Row {
  readonly name: string;
  readonly profile: string;
  readonly fault?: Fault;
  readonly code: number;
  readonly error: string;
  readonly says: readonly RegExp[];
}

/** Nothing was given, and nothing has to be taken back. */
const BEFORE: readonly Row[] = [
  {
    name: "a granter that is not there",
    profile: "unknown-granter",
    code: 77,
    error: "CLOUD_DENIED",
    says: [new RegExp(UNKNOWN_CLIENT)],
  },
  {
    name: "a granter that may assign nothing",
    profile: "no-granter",
    code: 77,
    error: "CLOUD_DENIED",
    says: [/InsufficientPermissions/, /hint: /],
  },
  {
    name: "a role that the granter may not assign",
    profile: "contributor",
    code: 77,
    error: "CLOUD_DENIED",
    says: [/assign Contributor on/, /InsufficientPermissions/, /hint: /],
  },
  { name: "a role that is not there", profile: "misnamed", code: 78, error: "CONFIG_INVALID", says: [/Reeder/] },
  {
    name: "a permission to wait for that nothing gives",
    profile: "never-there",
    code: 78,
    error: "CONFIG_INVALID",
    says: [/contain Microsoft\.Compute\/virtualMachines\/delete, which azure\.ready waits for/, /hint: .*misspelt/],
  },
  {
    name: "a scope that is not there",
    profile: "nowhere",
    code: 77,
    error: "CLOUD_DENIED",
    says: [/nowhere/],
  },
  {
    name: "a Resource Manager that is away",
    profile: "bound",
    fault: { service: "arm", kind: "cut" },
    code: 69,
    error: "UNREACHABLE",
    says: [/Azure Resource Manager/],
  },
  {
    name: "a tenant without a licence for time-bound assignments",
    profile: "bound",
    fault: { service: "arm", operation: PIM_CREATE, kind: "error", status: 400, code: "AadPremiumLicenseRequired" },
    code: 77,
    error: "CLOUD_DENIED",
    says: [/AadPremiumLicenseRequired/, /hint: .*allow_unbounded/],
  },
];

describe.concurrent("nothing is given, and nothing is left", () => {
  test.each(BEFORE)("$name: $error", async ({ profile, fault, ...want }) => {
    const stage = await open();
    if (fault !== undefined) stage.sandbox.faults.add(fault);
    const { outcome, receipt } = await runRefused(stage, profile);
    expectRefusal(outcome, want);
    expect(assignedNow(stage)).toEqual([]);
    expectNothingLeft(stage);
    expect(readReceipt(receipt)).toMatchObject({ grants: [], error: { code: want.error } });
    expect(stage.auditRecords().at(-1)).toMatchObject({
      kind: want.code === 77 ? "lease.refused" : "lease.failed",
      error: { code: want.error },
    });
  });
});

describe.concurrent("rights that do not work in time", () => {
  test("NOT_READY, what is missing, and nothing is left once Azure takes it back", async () => {
    const stage = await open();
    stage.sandbox.azureRoles.setPropagation(600_000);
    const { outcome, receipt } = await runRefused(stage, "unseen");
    expectRefusal(outcome, { code: 69, error: "NOT_READY", says: [/after 2s/, /hint: .*misspelt.*timeout/] });
    for (const permission of READY["permissions"] as readonly string[]) expect(outcome.stderr).toContain(permission);
    expect(fs.existsSync(path.join(stage.dir, "ran"))).toBe(false);
    const [id = ""] = ledgerIds(stage);
    expect(outcome.stderr).toContain(id);
    expect(readReceipt(receipt)).toMatchObject({ error: { code: "NOT_READY" }, endings: [{ word: "expires" }] });
    stage.passTime(EARLY_MS);
    await expectNothingAlive(stage, id);
    expect(assignedNow(stage)).toEqual([]);
    expectNothingLeft(stage);
  });

  test("where Azure takes it back at once, nothing is left by then", async () => {
    const stage = await open();
    stage.sandbox.azureRoles.setMinimumAge(0);
    stage.sandbox.azureRoles.setPropagation(600_000);
    const { outcome } = await runRefused(stage, "unseen");
    expectRefusal(outcome, { code: 69, error: "NOT_READY", says: [] });
    expect(assignedNow(stage)).toEqual([]);
    expectNothingLeft(stage);
  });
});

test("the second of two assignments is refused: the first is taken back as well", async () => {
  const stage = await open();
  stage.sandbox.azureRoles.setMinimumAge(0);
  stage.sandbox.faults.add({ service: "arm", operation: PIM_CREATE, kind: "deny", after: 1, times: 1 });
  const { outcome, receipt } = await runRefused(stage, "bound");
  expectRefusal(outcome, { code: 77, error: "CLOUD_DENIED", says: [/assign /] });
  expect(pimRequests(stage).filter((one) => one.endsWith(" 201"))).toEqual(["AdminAssign 201", "AdminRemove 201"]);
  expect(assignedNow(stage)).toEqual([]);
  expectNothingLeft(stage);
  expect(readReceipt(receipt)).toMatchObject({ grants: [], endings: [{ cloud: "azure", word: "removed" }] });
});

test("the token of the lease is refused once its rights were given: they are taken back", async () => {
  const stage = await open();
  stage.sandbox.azureRoles.setMinimumAge(0);
  // The first two are the granter's, and that which tells whom to assign to; the others are for the child.
  stage.sandbox.faults.add({ service: "entra", operation: "token", kind: "deny", after: 2, times: 1 });
  const { outcome } = await runRefused(stage, "bound");
  expectRefusal(outcome, { code: 77, error: "CLOUD_DENIED", says: [] });
  expect(pimRequests(stage).filter((one) => one === "AdminRemove 201")).toHaveLength(2);
  expect(assignedNow(stage)).toEqual([]);
  expectNothingLeft(stage);
});

test.each([
  { signal: "SIGINT", code: 130 },
  { signal: "SIGTERM", code: 143 },
] as const)(
  "$signal while the rights are waited for: they are taken back, and nothing is left",
  async ({ signal, code }) => {
    const stage = await open();
    stage.sandbox.azureRoles.setMinimumAge(0);
    stage.sandbox.azureRoles.setPropagation(600_000);
    const run = await startWaiting(stage, "seen");
    await eventually(() => assignedNow(stage).length === 2);
    process.kill(run.pid, signal);
    expect(await run.ended).toMatchObject({ code });
    expect(assignedNow(stage)).toEqual([]);
    await expectNothingAlive(stage, run.id, [run.pid]);
    expectNothingLeft(stage);
    expect(run.receipt()).toMatchObject({ grants: [], error: { code: "INTERRUPTED" }, endings: [{ word: "removed" }] });
  },
);
