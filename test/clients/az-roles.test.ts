import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_SUBSCRIPTION, POOL_CLIENTS } from "../../src/sandbox/azure/world.js";
import { type Outcome, openStage, type Stage } from "../e2e/agentctl.js";
import { configOf } from "../e2e/three-clouds.js";
import { ARM, type AzAsGranter, findPrincipalId, GRANTER_PROFILE, openAz } from "./az-as-granter.js";
import { skipWithout } from "./tools.js";

const AZ = { tool: "az" };
const SUBSCRIPTION = `/subscriptions/${DEFAULT_SUBSCRIPTION}`;
const ACCOUNT = `${SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Storage/storageAccounts/agentctldemo`;
const ROLE = "Storage Blob Data Reader";
const ROLE_ID = `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/2a2b9908-6ea1-4ae2-8e65-a410df84e7d1`;
/** Of an application without any role. */
const PRINCIPAL = findPrincipalId(POOL_CLIENTS[0]);

let stage: Stage;
let granter: AzAsGranter;
beforeAll(async () => {
  stage = await openStage();
  stage.writeConfig(configOf(GRANTER_PROFILE));
  granter = await openAz(stage);
});
afterAll(() => Promise.all([granter.close(), stage.close()]));

const az: AzAsGranter["az"] = (...args) => granter.az(...args);
const listAssigned = (...args: readonly string[]) => granter.listAssigned(PRINCIPAL, ...args);

function assign(role: string): Promise<Outcome> {
  const whom = ["--assignee-object-id", PRINCIPAL, "--assignee-principal-type", "ServicePrincipal"];
  return az("role", "assignment", "create", ...whom, "--role", role, "--scope", ACCOUNT);
}

describe("az on role assignments, without Microsoft Graph", () => {
  test("finds a role by its name", async ({ skip }) => {
    skipWithout(skip, AZ);
    const { stdout, stderr } = await az("role", "definition", "list", "--name", ROLE, "--scope", SUBSCRIPTION);
    expect(JSON.parse(stdout), stderr).toMatchObject([{ id: ROLE_ID, roleName: ROLE, roleType: "BuiltInRole" }]);
  });

  test("assigns, lists and takes back", async ({ skip }) => {
    skipWithout(skip, AZ);
    expect(await listAssigned("--scope", ACCOUNT)).toEqual([]);
    const made = await assign(ROLE);
    const wanted = { scope: ACCOUNT, principalId: PRINCIPAL, roleDefinitionId: ROLE_ID };
    expect(JSON.parse(made.stdout), made.stderr).toMatchObject(wanted);
    for (const where of [["--scope", ACCOUNT], ["--all"]]) {
      expect(await listAssigned(...where)).toMatchObject([{ ...wanted, roleDefinitionName: ROLE }]);
    }
    const deleted = await az("role", "assignment", "delete", "--ids", JSON.parse(made.stdout).id);
    expect(deleted).toMatchObject({ code: 0, stderr: "" });
    expect(await listAssigned("--scope", ACCOUNT)).toEqual([]);
  });

  test("says what it may not assign", async ({ skip }) => {
    skipWithout(skip, AZ);
    const { code, stderr } = await assign("Owner");
    expect(code).toBe(1);
    expect(stderr).toContain("(AuthorizationFailed)");
    expect(stderr).toContain("has an authorization with ABAC condition that is not fulfilled");
  });

  test("sees a time-bound assignment before, during and after", async ({ skip }) => {
    skipWithout(skip, AZ);
    const url = `https://${ARM}${ACCOUNT}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/${randomUUID()}?api-version=2020-10-01`;
    const body = {
      properties: {
        principalId: PRINCIPAL,
        roleDefinitionId: ROLE_ID,
        requestType: "AdminAssign",
        justification: "a test of az",
        scheduleInfo: { expiration: { type: "AfterDuration", duration: "PT10M" } },
      },
    };
    expect(await listAssigned("--scope", ACCOUNT)).toEqual([]);
    const asked = await az("rest", "--method", "put", "--url", url, "--body", JSON.stringify(body));
    expect(JSON.parse(asked.stdout), asked.stderr).toMatchObject({ properties: { status: "Provisioned" } });
    expect(await listAssigned("--scope", ACCOUNT)).toMatchObject([{ roleDefinitionName: ROLE }]);
    stage.sandbox.clock.setOffset(11 * 60_000, "arm");
    expect(await listAssigned("--scope", ACCOUNT)).toEqual([]);
  });

  test("asked nobody but Resource Manager", async ({ skip }) => {
    skipWithout(skip, AZ);
    expect(new Set(granter.front.requests().map(({ host }) => host))).toEqual(new Set([ARM]));
  });
});
