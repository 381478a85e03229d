import { describe, expect, it } from "vitest";
import { failureOf } from "../../exchange/identity.js";
import { fails, GROUP, isUnwell, ONE, SUBSCRIPTION, startFakeAzure, TWO } from "./fake-azure.js";
import { BLOB_READ, isLook, letRead, openLease } from "./opening.js";

const CUSTOM = "77777777-0000-0000-0000-000000000001";
const REFUSED = {
  code: "CONFIG_INVALID",
  message: expect.stringMatching(
    /^Helper on \/subscriptions\/\S+ lets the command give itself rights that stay: .* Microsoft\.Auth/,
  ),
  hint: expect.stringMatching(/narrower role/),
};

describe("a custom role by which the command could give itself what stays", () => {
  it.each([
    { actions: ["*"] },
    { actions: ["Microsoft.Web/*", "Microsoft.Authorization/*/write"] },
    { actions: ["microsoft.authorization/roleassignments/write"] },
    { actions: ["Microsoft.Authorization/roleDefinitions/*"] },
    { actions: ["Microsoft.Authorization/roleAssignmentScheduleRequests/write"] },
    { actions: ["*/action"] },
    { actions: ["*"], notActions: ["Microsoft.Authorization/roleAssignments/write"] },
  ])("is refused by its definition, before anything is given: $actions, not $notActions", async (rest) => {
    const azure = await startFakeAzure();
    azure.customRoles.set(CUSTOM, { name: "Helper", dataActions: [], ...rest });
    const lease = openLease(azure, { assignments: [{ role: "Helper", scope: GROUP }] });
    expect(await failureOf(lease.open())).toMatchObject(REFUSED);
    expect(lease.said.asked).toBe(0);
    expect(azure.requests).toEqual([]);
  });

  it.each([
    { actions: ["Microsoft.Authorization/*/read", "Microsoft.Web/*"] },
    {
      actions: ["*"],
      notActions: [
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
      ],
    },
  ])("is not what gives nothing: $actions, not $notActions", async (rest) => {
    const azure = await startFakeAzure();
    azure.customRoles.set(CUSTOM, { name: "Helper", dataActions: [], ...rest });
    await openLease(azure, { assignments: [{ role: CUSTOM, scope: GROUP }] }).open();
    expect(azure.requests).toHaveLength(1);
  });

  it("is not taken for harmless where its definition cannot be read", async () => {
    const azure = await startFakeAzure();
    azure.intercept = ({ where }) =>
      where.includes("/roleDefinitions/") ? fails(403, "AuthorizationFailed", "No.") : undefined;
    expect(await failureOf(openLease(azure).open())).toMatchObject({ code: "CLOUD_DENIED" });
    expect(azure.requests).toEqual([]);
  });
});

describe("what ready waits for, and nothing gives", () => {
  const misspelt = "Microsoft.Web/sites/raed";
  const ready = (permission: string, at = GROUP) => ({ ready: { permissions: [permission], at, timeoutSeconds: 60 } });
  const vault = `${GROUP}/providers/Microsoft.KeyVault/vaults/v`;

  it.each([
    {
      name: "a permission that is misspelt",
      settings: ready(misspelt),
      want: `Reader on ${GROUP} does not contain ${misspelt}, which azure.ready waits for at ${GROUP}`,
    },
    {
      name: "below the assignment too",
      settings: ready(misspelt, vault),
      want: `Reader on ${GROUP} does not contain ${misspelt}, which azure.ready waits for at ${vault}`,
    },
    {
      name: "with all roles by name",
      settings: {
        ...ready(misspelt),
        assignments: ["Reader", "Storage Blob Data Reader"].map((role) => ({ role, scope: GROUP })),
      },
      want: `Reader on ${GROUP} and Storage Blob Data Reader on ${GROUP} do not contain ${misspelt}, which azure.ready waits for at ${GROUP}`,
    },
    {
      name: "above all assignments",
      settings: ready("Microsoft.Web/sites/read", SUBSCRIPTION),
      want: `nothing of azure.assignments is given at ${SUBSCRIPTION}, where azure.ready waits for Microsoft.Web/sites/read`,
    },
  ])("is told at once, before anything is given: $name", async ({ settings, want }) => {
    const azure = await startFakeAzure();
    const lease = openLease(azure, settings);
    const error = await failureOf(lease.open());
    expect(error).toMatchObject({ code: "CONFIG_INVALID", hint: expect.stringMatching(/misspelt.*leave it out$/) });
    expect(error.message).toBe(`${want}, and application ${ONE} does not have it otherwise`);
    expect(lease.said.asked).toBe(0);
    expect(azure.requests).toEqual([]);
  });

  it("is told also of an application that has no role anywhere", async () => {
    const azure = await startFakeAzure();
    azure.intercept = (question) => (isLook(question) ? fails(403, "AuthorizationFailed", "No.") : undefined);
    expect(await failureOf(openLease(azure, ready(misspelt)).open())).toMatchObject({ code: "CONFIG_INVALID" });
  });

  it.each([
    { name: "the application has it by other means", permission: "Microsoft.Web/sites/read", scope: GROUP, at: GROUP },
    { name: "the role grants it on data", permission: BLOB_READ, scope: GROUP, at: vault },
    {
      name: "the scope is a management group, which may be above",
      permission: BLOB_READ,
      scope: "/providers/Microsoft.Management/managementGroups/m",
      at: GROUP,
    },
  ])("is not told where $name", async ({ permission, scope, at }) => {
    const azure = await startFakeAzure();
    letRead(azure, TWO);
    const assignments = [{ role: "Storage Blob Data Reader", scope }];
    const lease = openLease(azure, { clientId: TWO, assignments, ...ready(permission, at) });
    await lease.open().catch(() => undefined);
    expect(azure.requests).toHaveLength(1);
  });

  it("is waited for where it cannot be told what the application has", async () => {
    const azure = await startFakeAzure();
    azure.intercept = (question) => (isLook(question) && azure.requests.length === 0 ? isUnwell : undefined);
    expect(await failureOf(openLease(azure, ready(misspelt)).open())).toMatchObject({ code: "NOT_READY" });
  });
});
