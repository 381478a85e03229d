import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  constrainRoles,
  DEFAULT_PIM_POLICY,
  defaultAzure,
  GRANTER_CLIENT,
  POOL_CLIENTS,
} from "../../src/sandbox/azure/world.js";
import { readWorldFile } from "../../src/sandbox/world-file.js";
import {
  ACCOUNT,
  assign,
  list,
  OWNER,
  openRoles,
  READER,
  type RolesStage,
  request,
  SUBSCRIPTION,
} from "./azure-roles.js";

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "agentctl-azure-world-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function readAzure(block: string): ReturnType<typeof defaultAzure> | undefined {
  const file = path.join(dir, "world.yaml");
  fs.writeFileSync(file, `azure:\n${block}`);
  return readWorldFile(file, { fs }).azure;
}

describe("the default world's Azure", () => {
  const { apps } = defaultAzure();

  it("has a granter of the demo's roles, and a pool without any", () => {
    expect(apps[GRANTER_CLIENT]).toMatchObject({
      name: "agentctl-granter",
      roles: [{ role: "Role Based Access Control Administrator", scope: SUBSCRIPTION }],
    });
    const condition = apps[GRANTER_CLIENT]?.roles[0]?.condition ?? "";
    expect([condition.includes(READER), condition.includes(OWNER)]).toEqual([true, false]);
    expect(POOL_CLIENTS.map((clientId) => apps[clientId])).toMatchObject([
      { name: "jit-one", roles: [] },
      { name: "jit-two", roles: [] },
    ]);
  });
});

describe("the azure block of a world file", () => {
  it("sets roles with conditions, delays and the policy", () => {
    const condition = constrainRoles(["Reader"]);
    const azure = readAzure(`
  role_propagation_ms: 2000
  role_release_ms: 3000
  role_minimum_age_ms: 4000
  role_provisioning_ms: 5000
  pim_licence: false
  pim_policy: { requires_justification: false }
  apps:
    ${GRANTER_CLIENT}:
      name: granter
      federated_credentials: []
      roles:
        - role: User Access Administrator
          scope: /providers/Microsoft.Management/managementGroups/acme
          condition: "${condition}"
`);
    expect(azure).toMatchObject({
      rolePropagationMs: 2000,
      roleReleaseMs: 3000,
      roleMinimumAgeMs: 4000,
      roleProvisioningMs: 5000,
      hasPimLicence: false,
      pimPolicy: { requiresJustification: false },
      apps: { [GRANTER_CLIENT]: { name: "granter", roles: [{ role: "User Access Administrator", condition }] } },
    });
    expect(azure?.pimPolicy).not.toHaveProperty("maxAssignmentDays");
  });

  it("leaves the policy and the delays as they are by default", () => {
    const azure = readAzure("  pim_policy: { max_assignment_days: 7 }\n");
    expect(azure?.pimPolicy).toEqual({ ...DEFAULT_PIM_POLICY, maxAssignmentDays: 7 });
    expect(readAzure("  domain: acme.test\n")).not.toHaveProperty("rolePropagationMs");
  });

  it.each([
    { name: "a condition that is none", role: "{ role: Reader, scope: /subscriptions/x, condition: '(' }" },
    { name: "a role that is not known", role: "{ role: Wizard, scope: /subscriptions/x }" },
    { name: "a scope that is none", role: "{ role: Reader, scope: x }" },
  ])("refuses $name", ({ role }) => {
    const block = `  apps: { ${GRANTER_CLIENT}: { federated_credentials: [], roles: [${role}] } }\n`;
    expect(() => readAzure(block)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("a world with delays and a policy of its own", () => {
  let stage: RolesStage;
  beforeAll(async () => {
    const pimPolicy = { requiresJustification: false };
    stage = await openRoles({
      rolePropagationMs: 2000,
      roleReleaseMs: 3000,
      roleMinimumAgeMs: 4000,
      roleProvisioningMs: 5000,
      pimPolicy,
    });
  });
  afterAll(() => stage.sandbox.close());

  it("starts with them", async () => {
    const { azureRoles } = stage.sandbox;
    expect(azureRoles.propagation()).toEqual({ arm: 2000, blob: 2000 });
    expect([azureRoles.release(), azureRoles.minimumAge(), azureRoles.provisioning()]).toEqual([3000, 4000, 5000]);
    azureRoles.setProvisioning(0);
    const properties = { justification: null, scheduleInfo: { expiration: { type: "NoExpiration" } } };
    expect(await request(stage, "granter", { properties })).toMatchObject({
      status: 201,
      body: { properties: { status: "Provisioned", scheduleInfo: { expiration: { type: "NoExpiration" } } } },
    });
    expect(azureRoles.current().at(-1)).not.toHaveProperty("endsAt");
  });
});

describe("a tenant without a licence", () => {
  let stage: RolesStage;
  beforeAll(async () => {
    stage = await openRoles({ hasPimLicence: false });
  });
  afterAll(() => stage.sandbox.close());

  it("makes no assignments that end by themselves, tells of none, and makes plain ones", async () => {
    const refusal = expect.stringMatching(/^400 AadPremiumLicenseRequired/);
    expect(await request(stage, "granter")).toMatchObject({ refusal });
    expect(await list(stage, "granter", ACCOUNT, "roleAssignmentSchedules")).toMatchObject({ refusal });
    expect((await assign(stage, "granter", {})).status).toBe(201);
  });
});
