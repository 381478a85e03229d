import { describe, expect, it } from "vitest";
import { azureCloud } from "../../../../src/clouds/azure/index.js";
import { planAzureGrant } from "../../../../src/clouds/azure/plan.js";
import { readMark, requestNameOf } from "../../../../src/clouds/azure/rights/names.js";
import { resolveResourceManager } from "../../../../src/clouds/azure/rights/resource-manager.js";
import type { AzureSettings, RevokeMode } from "../../../../src/core/profile.js";
import { fakeRuntime } from "../../../fake-runtime.js";
import { thrownBy } from "../../../thrown.js";
import { grantTerms } from "../../exchange/identity.js";
import { AUDIENCE, TENANT } from "../fake-entra.js";
import { GRANTER, GROUP, ONE, SUBSCRIPTION, TWO } from "./fake-azure.js";
import { rightsSettings } from "./opening.js";

function plan(overrides: Partial<AzureSettings> = {}, revoke: RevokeMode = "auto", env: Record<string, string> = {}) {
  const terms = { ...grantTerms(1_800, 0), latestEndsAt: 2_100_000, revoke };
  return planAzureGrant(rightsSettings(overrides), terms, fakeRuntime({ env }));
}

describe("the plan of rights", () => {
  it("says what is given by whom to whom, until when, how it is seen to work, and how it ends", () => {
    const ready = { permissions: ["Microsoft.Web/sites/read"], timeoutSeconds: 60 };
    const { steps, narrowing, ending, facts, endpoints, undo, principal } = plan({ ready, otherClientIds: [TWO] });
    expect(principal).toBe(`application ${ONE} or ${TWO} in tenant ${TENANT}`);
    expect(steps).toEqual([
      `sign in as the granter, application ${GRANTER}, with the OIDC token`,
      `assign Reader on ${GROUP} to the first of ${ONE}, ${TWO} that is free of it, at management.azure.com, until 1970-01-01T00:37:00Z at the latest`,
      `as the application, by a token that the command does not get, wait, 1m at the most, until Microsoft.Web/sites/read works at ${GROUP}`,
      expect.stringMatching(/^then, for the command, get a token for https:\/\/management/),
    ]);
    expect(narrowing).toEqual([`given for the lease alone: Reader on ${GROUP}`, expect.stringMatching(/^besides: /)]);
    expect(ending).toEqual({
      word: "removed",
      detail: expect.stringMatching(/^or revoked, .* at the end.*within 10 minutes.*within 5 minutes.*queued/),
    });
    expect(facts).toMatchObject({ granter: GRANTER, assignments: [`Reader on ${GROUP}`], applications: [ONE, TWO] });
    expect(endpoints).toEqual([]);
    expect(undo).toEqual({
      tenantId: TENANT,
      granterClientId: GRANTER,
      clientIds: [ONE, TWO],
      roles: ["Reader"],
      scopes: [GROUP],
      endsAt: 2_220_000,
      allowUnbounded: false,
      revoke: "auto",
      audiences: [AUDIENCE],
      permissions: ["Microsoft.Web/sites/read"],
      at: GROUP,
    });
  });

  it.each([
    { name: "by itself with revoke: none", unbounded: false, revoke: "none", want: "expires" },
    { name: "never by itself where it is plain", unbounded: true, revoke: "none", want: "removed" },
    { name: "by the granter with revoke: required", unbounded: false, revoke: "required", want: "removed" },
  ] as const)("ends $name", ({ unbounded, revoke, want }) => {
    expect(plan({ allowUnbounded: unbounded }, revoke).ending.word).toBe(want);
  });

  it("is that of tokens alone where nothing is assigned", () => {
    const settings = rightsSettings({ assignments: [] });
    expect(azureCloud.hasRights?.(settings)).toBe(false);
    expect(azureCloud.hasRights?.(rightsSettings())).toBe(true);
    expect(plan({ assignments: [] })).toMatchObject({ undo: {}, ending: { word: "expires" } });
  });

  const { granter: _, ...unguarded } = rightsSettings();
  it.each([
    { name: "no granter", settings: unguarded as AzureSettings },
    { name: "the granter itself in the pool", settings: rightsSettings({ otherClientIds: [GRANTER] }) },
    {
      name: "a scope that is no resource id",
      settings: rightsSettings({ assignments: [{ role: "Reader", scope: "web" }] }),
    },
    { name: "a scope with a query", settings: rightsSettings({ assignments: [{ role: "R", scope: "/a?b" }] }) },
    { name: "a scope that climbs", settings: rightsSettings({ assignments: [{ role: "R", scope: "/a/../b" }] }) },
    {
      name: "several scopes, and nowhere to look",
      settings: rightsSettings({
        assignments: [GROUP, SUBSCRIPTION].map((scope) => ({ role: "Reader", scope })),
        ready: { permissions: ["x/read"], timeoutSeconds: 1 },
      }),
    },
  ])("refuses $name", async ({ settings }) => {
    const error = await thrownBy(() => planAzureGrant(settings, grantTerms(60, 0), fakeRuntime()));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", exitCode: 78 });
  });
});

describe("the names that a lease's requests have", () => {
  const target = { leaseId: "l-0123456789abcdef", clientId: ONE, role: "Reader", scope: GROUP };

  it("are UUIDs of version 5, the same each time, however the profile spells it", () => {
    const name = requestNameOf(target, "give");
    expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(requestNameOf({ ...target, scope: GROUP.toUpperCase(), role: "READER" }, "give")).toBe(name);
  });

  it("differ with all that they are for", () => {
    const others = [
      { ...target, leaseId: "l-0123456789abcdeg" },
      { ...target, clientId: TWO },
      { ...target, role: "Owner" },
      { ...target, scope: SUBSCRIPTION },
    ];
    const names = [...others, target].flatMap((one) => [requestNameOf(one, "give"), requestNameOf(one, "take")]);
    expect(new Set(names).size).toBe(10);
  });

  it.each([
    { text: "agentctl lease l-0123456789abcdef until 2026-11-22T12:30:00Z", want: "l-0123456789abcdef" },
    { text: "x agentctl lease l-0123456789abcdef until 2026-11-22T12:30:00Z", want: undefined },
    { text: "agentctl lease l-short until 2026-11-22T12:30:00Z", want: undefined },
    { text: undefined, want: undefined },
  ])("are marked as whose they are: $text", ({ text, want }) => {
    expect(readMark(text)?.leaseId).toBe(want);
  });
});

describe("AZURE_RESOURCE_MANAGER_ENDPOINT", () => {
  it.each([
    { name: "nothing", env: {}, url: "https://management.azure.com" },
    {
      name: "Azure Government",
      env: { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.us" },
      url: "https://management.usgovcloudapi.net",
    },
    {
      name: "Azure in China",
      env: { AZURE_AUTHORITY_HOST: "https://login.chinacloudapi.cn" },
      url: "https://management.chinacloudapi.cn",
    },
    {
      name: "one of Microsoft's own",
      env: { AZURE_RESOURCE_MANAGER_ENDPOINT: "https://management.usgovcloudapi.net/" },
      url: "https://management.usgovcloudapi.net",
    },
  ])("with $name is Microsoft's own, and the token is for that", ({ env, url }) => {
    expect(resolveResourceManager({ env })).toEqual({ url, scope: `${url}/.default` });
  });

  it("of any other is on record, and the token is as the cloud's own", () => {
    const env = { AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:8080/arm/" };
    const override = { variable: "AZURE_RESOURCE_MANAGER_ENDPOINT", url: "http://127.0.0.1:8080/arm" };
    expect(resolveResourceManager({ env })).toEqual({
      url: override.url,
      scope: "https://management.azure.com/.default",
      override,
    });
    expect(plan({}, "auto", env).endpoints).toEqual([override]);
    expect(plan({ assignments: [] }, "auto", env).endpoints).toEqual([]);
  });

  it.each([
    { name: "no TLS elsewhere", value: "http://arm.example" },
    { name: "a password", value: "https://user:canary@arm.example" },
    { name: "a query", value: "https://arm.example/?x=canary" },
  ])("is refused with $name", async ({ value }) => {
    const error = await thrownBy(() => plan({}, "auto", { AZURE_RESOURCE_MANAGER_ENDPOINT: value }));
    expect(error).toMatchObject({ code: "ENDPOINT_INVALID" });
    expect(error.message).not.toContain("canary");
  });

  it("has to be named where the cloud's own is not known", async () => {
    const env = { AZURE_AUTHORITY_HOST: "https://login.sovcloud-identity.sg" };
    expect(await thrownBy(() => resolveResourceManager({ env }))).toMatchObject({ code: "ENDPOINT_INVALID" });
  });
});
