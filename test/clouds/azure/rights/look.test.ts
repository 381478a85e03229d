import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { azureCloud } from "../../../../src/clouds/azure/index.js";
import type { AzureSettings } from "../../../../src/core/profile.js";
import type { Fetch } from "../../../../src/core/runtime.js";
import { DEMO_CLIENT, defaultAzure, GRANTER_CLIENT, POOL_CLIENTS } from "../../../../src/sandbox/azure/world.js";
import type { Sandbox } from "../../../../src/sandbox/index.js";
import { callArm, MANAGEMENT, signIn } from "../../../sandbox/azure-clients.js";
import { ACCOUNT, authorizationPath, GROUP, READER, SUBSCRIPTION } from "../../../sandbox/azure-roles.js";
import { startSandbox } from "../../../start-sandbox.js";
import { grantTerms } from "../../exchange/identity.js";
import { hintsOf, linesOf, roomAt } from "../../sandbox-room.js";
import { ARM_SCOPE, AUDIENCE } from "../fake-entra.js";

const [ONE, TWO] = POOL_CLIENTS;
const STRANGER = "99999999-aaaa-bbbb-cccc-dddddddddddd";
const NARROW = "55556666-aaaa-2222-bbbb-3333cccc4444";
const OWNER = "66667777-aaaa-2222-bbbb-3333cccc4444";
const NO_ROLE = "00000000-0000-0000-0000-000000000001";
const UNTRIED = "which ones, and to whom, a condition lets it is not tried";
const SIGNED_IN = `ok ${ONE}, ${TWO} of azure.client_ids can sign in, to be given the roles`;

let [sandbox, unlicensed]: Sandbox[] = [];
beforeAll(async () => {
  const azure = defaultAzure();
  const federatedCredentials = azure.apps[GRANTER_CLIENT]?.federatedCredentials ?? [];
  const role = "Role Based Access Control Administrator";
  const apps = {
    ...azure.apps,
    [NARROW]: { federatedCredentials, roles: [{ role, scope: GROUP }] },
    [OWNER]: { federatedCredentials, roles: [{ role: "Owner", scope: SUBSCRIPTION }] },
  };
  [sandbox, unlicensed] = await Promise.all([
    startSandbox({ azure: { ...azure, apps } }),
    startSandbox({ azure: { ...azure, hasPimLicence: false } }),
  ]);
});
afterAll(() => Promise.all([sandbox?.close(), unlicensed?.close()]));

async function look(overrides: Partial<AzureSettings> = {}, at = sandbox, change = (fetch: Fetch) => fetch) {
  if (at === undefined) throw new Error("there is no sandbox");
  const { runtime: room, context } = roomAt(at, {
    AZURE_AUTHORITY_HOST: at.env["AZURE_AUTHORITY_HOST"],
    AZURE_RESOURCE_MANAGER_ENDPOINT: at.env["AGENTCTL_SANDBOX_ARM_URL"],
  });
  const runtime = { ...room, fetch: change(room.fetch) };
  const settings: AzureSettings = {
    tenantId: at.world.azure.tenantId,
    clientId: ONE,
    otherClientIds: [TWO],
    granter: { clientId: GRANTER_CLIENT },
    assignments: [{ role: "Reader", scope: GROUP }],
    allowUnbounded: false,
    scopes: [ARM_SCOPE],
    audiences: [AUDIENCE],
    ...overrides,
  };
  const from = at.requests().length;
  const sights = (await azureCloud.lookAtRights?.(settings, grantTerms(900, runtime.now()), context, runtime)) ?? [];
  const asked = at.requests().slice(from);
  return { sights, lines: linesOf(sights), asked };
}

const on = (scope: string, role = "Reader") => ({ assignments: [{ role, scope }] });

describe("what is looked at before roles are assigned", () => {
  it.each([
    { name: "a resource group", scope: GROUP, role: "Reader", there: "" },
    { name: "a subscription", scope: SUBSCRIPTION, role: "Reader", there: "" },
    { name: "a resource", scope: ACCOUNT, role: "Reader", there: "; whether that is there is not asked" },
    { name: "a role by its id", scope: GROUP, role: READER, there: "" },
  ])("of $name: the scope, who may give, the role, and the pool", async ({ scope, role, there }) => {
    expect((await look(on(scope, role))).lines).toEqual([
      `ok application ${GRANTER_CLIENT} may give and take roles on ${scope}; ${UNTRIED}`,
      `ok ${role} is known on ${scope}${there}`,
      `ok the tenant has time-bound assignments: Azure answers about those on ${scope}`,
      SIGNED_IN,
    ]);
  });

  it("of a scope under a lock: nothing would be given there, in a run's own words", async () => {
    if (sandbox === undefined) throw new Error("there is no sandbox");
    const token = await signIn(sandbox, { clientId: OWNER, scope: MANAGEMENT });
    const path = authorizationPath(SUBSCRIPTION, "locks/keep", "2016-09-01");
    await callArm(sandbox, path, token, { method: "PUT", body: { properties: { level: "CanNotDelete" } } });
    try {
      const { lines } = await look();
      expect(lines[0]).toMatch(
        /CLOUD_DENIED.*the lock keep \(CanNotDelete\) on \/subscriptions\/[^/]+ would keep what/,
      );
      expect(lines.join("\n")).not.toContain("is known on");
    } finally {
      await callArm(sandbox, path, token, { method: "DELETE" });
    }
  });

  it("that the granter may not read the scope itself is no failure, since a run does not", async () => {
    sandbox?.faults.add({ service: "arm", kind: "deny", operation: "ResourceGroups_Get" });
    try {
      expect((await look()).lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
    } finally {
      sandbox?.faults.clear();
    }
  });

  it("by a granter that may do nothing elsewhere", async () => {
    const { lines } = await look({ granter: { clientId: NARROW } });
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([]);
  });

  it.each([
    {
      name: "a role that is misspelt",
      overrides: on(GROUP, "Raeder"),
      want: `fail CONFIG_INVALID no role at ${GROUP} called Raeder`,
      hint: /^check the role in azure\.assignments/,
    },
    {
      name: "a role's id that is none",
      overrides: on(GROUP, NO_ROLE),
      want: `fail CONFIG_INVALID no role at ${GROUP} has the id ${NO_ROLE}`,
      hint: /^check the role in azure\.assignments/,
    },
    {
      name: "a resource group that is not there",
      overrides: on(`${SUBSCRIPTION}/resourceGroups/nowhere`),
      want: /^fail CLOUD_DENIED Azure did not let application \S+ read \S+nowhere: .* could not be found\. \(ResourceGroupNotFound\)$/,
      hint: /^check the scope in azure\.assignments/,
    },
    {
      name: "a subscription that is not there",
      overrides: on("/subscriptions/bbbb0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"),
      want: /^fail CLOUD_DENIED .*\(SubscriptionNotFound\)$/,
      hint: /^check the scope in azure\.assignments/,
    },
    {
      name: "a resource that is not there",
      overrides: on(`${ACCOUNT}x`),
      want: /^fail CLOUD_DENIED .*\(ResourceNotFound\)$/,
      hint: /^check the scope in azure\.assignments/,
    },
    {
      name: "a granter that may only read",
      overrides: { granter: { clientId: DEMO_CLIENT } },
      want: `fail CLOUD_DENIED application ${DEMO_CLIENT} does not have Microsoft.Authorization/roleAssignments/write, Microsoft.Authorization/roleAssignments/delete on ${GROUP}`,
      hint: /needs Role Based Access Control Administrator .*agentctl setup azure writes that$/,
    },
    {
      name: "a granter that is not there",
      overrides: { granter: { clientId: STRANGER } },
      want: /^fail CLOUD_DENIED Microsoft Entra refused 99999999-/,
      hint: /^check azure\.granter\.client_id/,
    },
  ])("$name is told in the words of a run", async ({ overrides, want, hint }) => {
    const { sights, lines } = await look(overrides);
    const wrong = lines.filter((line) => !line.startsWith("ok "));
    expect(wrong).toEqual([typeof want === "string" ? want : expect.stringMatching(want)]);
    expect(hintsOf(sights)).toEqual([expect.stringMatching(hint)]);
    expect(lines).toContain(SIGNED_IN);
  });

  it("each scope by itself", async () => {
    const scopes = [`${SUBSCRIPTION}/resourceGroups/nowhere`, GROUP];
    const { sights } = await look({ assignments: scopes.map((scope) => ({ role: "Reader", scope })) });
    expect(sights.map(({ status }) => status)).toEqual(["ok", "ok", "fail", "ok"]);
  });

  it("an application of the pool that is not let in is a warning, since a run leaves it out", async () => {
    const { sights, lines } = await look({ otherClientIds: [STRANGER] });
    expect(lines.slice(-2)).toEqual([
      `ok ${ONE} of azure.client_ids can sign in, to be given the roles`,
      expect.stringMatching(
        /^warn CLOUD_DENIED application 9999.* of the pool cannot be used, and a run leaves it out: Microsoft Entra refused /,
      ),
    ]);
    expect(hintsOf(sights)).toEqual([expect.stringMatching(/^check azure\.client_ids/)]);
  });

  it.each([
    { name: "is given below", at: ACCOUNT, permission: "Microsoft.Web/sites/read", want: [] },
    {
      name: "nothing gives",
      at: GROUP,
      permission: "Microsoft.Web/sites/raed",
      want: [
        `fail CONFIG_INVALID Reader on ${GROUP} does not contain Microsoft.Web/sites/raed, which azure.ready waits for at ${GROUP}, and application ${ONE} does not have it otherwise`,
      ],
    },
  ])("what ready waits for, which $name", async ({ at, permission, want }) => {
    const { lines } = await look({ ready: { permissions: [permission], at, timeoutSeconds: 60 } });
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual(want);
  });

  it("an application of which nobody knows is a warning too, and not said to be left out", async () => {
    const cut =
      (fetch: Fetch): Fetch =>
      async (asked) => {
        if (String(asked.body).includes(TWO)) throw Object.assign(new Error("cut"), { code: "ENOTFOUND" });
        return fetch(asked);
      };
    const { lines } = await look({}, sandbox, cut);
    expect(lines.at(-1)).toMatch(
      /^warn UNREACHABLE application 3333.* of the pool cannot be used, and a run that comes to it stops: /,
    );
  });

  it("where none of them is let in that is a failure", async () => {
    const { lines } = await look({ clientId: STRANGER, otherClientIds: [] });
    expect(lines.at(-1)).toMatch(/^fail CLOUD_DENIED Microsoft Entra refused 99999999-/);
  });

  it.each([
    { allowUnbounded: false, want: /^fail CLOUD_DENIED .*\(AadPremiumLicenseRequired\)$/ },
    { allowUnbounded: true, want: /^note the tenant has no time-bound assignments .*: a run gives plain ones/ },
  ])("a tenant without the licence, with allow_unbounded $allowUnbounded", async ({ allowUnbounded, want }) => {
    const { lines } = await look({ allowUnbounded }, unlicensed);
    expect(lines.filter((line) => !line.startsWith("ok "))).toEqual([expect.stringMatching(want)]);
  });

  it("nothing is written", async () => {
    const before = sandbox?.azureRoles.current();
    const { asked } = await look();
    const operations = asked.filter(({ service }) => service === "arm").map(({ operation }) => operation);
    expect(operations).toContain("Permissions_ListForScope");
    expect(operations.filter((operation) => !/_(?:Get|List|ListForScope)$/.test(operation))).toEqual([]);
    expect(sandbox?.azureRoles.current()).toEqual(before);
  });
});
