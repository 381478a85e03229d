import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultAzure, POOL_CLIENTS } from "../../src/sandbox/azure/world.js";
import { endHeldRuns, startHeld } from "../e2e/endings/held-run.js";
import {
  type AzureStage,
  CONTAINER,
  EARLY_MS,
  JIT,
  openAzureStage,
  profileOf,
  READY,
  SUBSCRIPTION,
} from "../e2e/rights/azure-stage.js";
import { type AzAsGranter, findPrincipalId, GRANTER_PROFILE, openAz } from "./az-as-granter.js";
import { skipWithout } from "./tools.js";

const AZ = { tool: "az" };
const PRINCIPAL = findPrincipalId(POOL_CLIENTS[0]);
const GIVEN = [
  { roleDefinitionName: "Reader", scope: SUBSCRIPTION, principalId: PRINCIPAL },
  { roleDefinitionName: "Storage Blob Data Reader", scope: CONTAINER, principalId: PRINCIPAL },
];

interface Place {
  readonly stage: AzureStage;
  readonly granter: AzAsGranter;
}

let licensed: Place;
let unlicensed: Place;
beforeAll(async () => {
  const plain = profileOf({ ...JIT, ready: READY, allow_unbounded: true });
  const openPlace = async (hasPimLicence: boolean): Promise<Place> => {
    const world = { azure: { ...defaultAzure(), hasPimLicence } };
    const stage = await openAzureStage({ ...GRANTER_PROFILE, plain }, { world });
    return { stage, granter: await openAz(stage) };
  };
  [licensed, unlicensed] = [await openPlace(true), await openPlace(false)];
});
afterAll(async () => {
  endHeldRuns();
  for (const { stage, granter } of [licensed, unlicensed]) await Promise.all([granter.close(), stage.close()]);
});

/** What az says that jit-one is assigned, wherever that is. */
async function listAssigned({ granter }: Place): Promise<readonly Record<string, unknown>[]> {
  const listed = await granter.listAssigned(PRINCIPAL, "--all");
  return [...listed].sort((one, other) => (String(one["scope"]) < String(other["scope"]) ? -1 : 1));
}

describe("az role assignment list, beside a lease", () => {
  test.for([
    { name: "assignments that end by themselves", profile: "seen", place: () => licensed, passMs: EARLY_MS },
    { name: "assignments that do not", profile: "plain", place: () => unlicensed, passMs: 0 },
  ])("$name: they are not there before, are there while the command runs, and are gone", async (row, { skip }) => {
    skipWithout(skip, AZ);
    const place = row.place();
    const { stage } = place;
    expect(await listAssigned(place)).toEqual([]);
    const run = await startHeld(stage, row.profile);
    expect(await listAssigned(place)).toMatchObject(GIVEN);
    stage.passTime(row.passMs);
    expect(await listAssigned(place)).toMatchObject(GIVEN);
    run.letGo();
    const outcome = await run.ended;
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
    expect(run.receipt()).toMatchObject({ endings: [{ cloud: "azure", word: "revoked" }] });
    expect(await listAssigned(place)).toEqual([]);
  });
});
