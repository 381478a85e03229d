import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { defaultGcp, JIT_SERVICE_ACCOUNT } from "../../../src/sandbox/gcp/world.js";
import { createForeignWriter, type ForeignWriter } from "../../sandbox/foreign-writer.js";
import type { Stage } from "../agentctl.js";
import { endHeldRuns, startHeld } from "../endings/held-run.js";
import { ledgerIds } from "../endings/ledger-view.js";
import {
  account,
  bindingsOn,
  givenTo,
  JIT,
  openGcpStage,
  oursOn,
  PROJECT,
  profileOf,
  READ,
  VIEWER,
} from "./gcp-stage.js";

vi.setConfig({ testTimeout: 120_000 });

/** `npm run endings` has thirty of them; here as many as leave a busy machine something for the tests beside them. */
const LEASES = 8;
const FOREIGN_EVERY_MS = 100;
const ACCOUNTS = ["one", "two", "three"];

let stage: Stage;
let foreign: ForeignWriter;
beforeAll(async () => {
  const gcp = defaultGcp();
  const trust = gcp.serviceAccounts[JIT_SERVICE_ACCOUNT] ?? [];
  const accounts = Object.fromEntries(ACCOUNTS.map((name) => [account(name), trust]));
  // Google takes twenty conditions for one role and member: the leases are of several accounts.
  const profiles = ACCOUNTS.map((name) => {
    const jit = { ...JIT, service_account: account(name) };
    return [name, profileOf(givenTo(jit, [{ role: VIEWER, resource: PROJECT }], { permissions: [READ] }))];
  });
  const world = { gcp: { ...gcp, serviceAccounts: { ...gcp.serviceAccounts, ...accounts } } };
  stage = await openGcpStage(Object.fromEntries(profiles), { world });
  foreign = createForeignWriter(stage.sandbox, PROJECT);
});
afterAll(async () => {
  foreign.stop();
  endHeldRuns();
  await stage.close();
});

test(`${LEASES} leases at once on a policy that somebody else keeps changing: nothing of his is lost, nothing of theirs is left`, async () => {
  const before = bindingsOn(stage, PROJECT);
  foreign.start(FOREIGN_EVERY_MS);
  const names = Array.from({ length: LEASES }, (_, index) => ACCOUNTS[index % ACCOUNTS.length] ?? "");
  const runs = await Promise.all(names.map((name) => startHeld(stage, name)));
  for (const { id } of runs) expect(oursOn(stage, PROJECT, id)).toHaveLength(1);
  for (const run of runs) run.letGo();
  for (const run of runs) expect(await run.ended, run.stderr()).toMatchObject({ code: 0 });
  foreign.stop();
  expect(foreign.writes()).toBeGreaterThan(LEASES);
  expect(foreign.lost()).toEqual([]);
  expect(oursOn(stage, PROJECT)).toEqual([]);
  expect(bindingsOn(stage, PROJECT)).toEqual(expect.arrayContaining([...before]));
  expect(ledgerIds(stage)).toEqual([]);
  for (const run of runs)
    expect(run.receipt().endings).toMatchObject([{ cloud: "gcp", word: expect.stringMatching(/^re(vok|mov)ed$/) }]);
});
