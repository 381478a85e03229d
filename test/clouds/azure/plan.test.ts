import { describe, expect, it } from "vitest";
import { azureCloud } from "../../../src/clouds/azure/index.js";
import { planAzureGrant } from "../../../src/clouds/azure/plan.js";
import type { AzureSettings } from "../../../src/core/profile.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { thrownBy } from "../../thrown.js";
import { grantTerms } from "../exchange/identity.js";
import { ARM_SCOPE, AUDIENCE, azureSettings, CLIENT, TENANT, VAULT_SCOPE } from "./fake-entra.js";

const GRAPH_ID = "00000003-0000-0000-c000-000000000000";

function plan(overrides: Partial<AzureSettings> = {}, env: Record<string, string> = {}) {
  return planAzureGrant(azureSettings(overrides), grantTerms(1_800, 0), fakeRuntime({ env }));
}

describe("planAzureGrant", () => {
  it("says who would be what, how, and how it would end", () => {
    expect(plan()).toEqual({
      cloud: "azure",
      channel: "env",
      principal: `application ${CLIENT} in tenant ${TENANT}`,
      audiences: [AUDIENCE],
      steps: [`get a token for ${ARM_SCOPE} at login.microsoftonline.com with the OIDC token (aud ${AUDIENCE})`],
      narrowing: ["no narrowing: all that the application is assigned; Azure cannot narrow a token"],
      variables: ["AZURE_ACCESS_TOKEN", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "ARM_TENANT_ID", "ARM_CLIENT_ID"],
      ending: { word: "expires", detail: expect.stringMatching(/cannot take a token back/) },
      facts: { authority: "login.microsoftonline.com", scopes: [ARM_SCOPE] },
      undo: {},
      endpoints: [],
    });
  });

  it("names the subscription's variables when there is one, and one for each further scope", () => {
    const scopes = [ARM_SCOPE, VAULT_SCOPE, "api://my-app/.default", `${GRAPH_ID}/.default`];
    const { variables } = plan({ scopes, subscriptionId: TENANT });
    expect(variables).toEqual(
      expect.arrayContaining([
        "AZURE_ACCESS_TOKEN",
        "AZURE_ACCESS_TOKEN_VAULT_AZURE_NET",
        "AZURE_ACCESS_TOKEN_MY_APP",
        "AZURE_ACCESS_TOKEN_00000003_0000_0000_C000_000000000000",
        "AZURE_SUBSCRIPTION_ID",
        "ARM_SUBSCRIPTION_ID",
      ]),
    );
  });

  it("is what the room plans with", () => {
    expect(azureCloud.plan(azureSettings(), grantTerms(60, 0), fakeRuntime())).toEqual(plan());
  });

  it.each([
    { name: "no scope", scopes: [] },
    { name: "two resources in one", scopes: [`${ARM_SCOPE} ${VAULT_SCOPE}`] },
    { name: "a delegated permission", scopes: ["https://graph.microsoft.com/User.Read"] },
    { name: "no resource", scopes: ["/.default"] },
    { name: "a bare word", scopes: [".default"] },
    { name: "http", scopes: ["http://management.azure.com/.default"] },
    { name: "a query", scopes: ["https://management.azure.com/?x=/.default"] },
    { name: "the same twice", scopes: [ARM_SCOPE, ARM_SCOPE] },
    { name: "two of one host", scopes: [ARM_SCOPE, "https://h.example/a/.default", "https://h.example/b/.default"] },
  ])("refuses scopes with $name", async ({ scopes }) => {
    expect(await thrownBy(() => plan({ scopes }))).toMatchObject({ code: "CONFIG_INVALID", exitCode: 78 });
  });

  it.each(["common", "organizations", "Consumers", "adfs"])("refuses %s as a tenant", async (tenantId) => {
    expect(await thrownBy(() => plan({ tenantId }))).toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("AZURE_AUTHORITY_HOST", () => {
  it.each([
    { name: "Azure Government", value: "https://login.microsoftonline.us/", want: "login.microsoftonline.us" },
    {
      name: "Azure in China",
      value: "https://login.partner.microsoftonline.cn",
      want: "login.partner.microsoftonline.cn",
    },
    { name: "its older name", value: "https://login.chinacloudapi.cn", want: "login.chinacloudapi.cn" },
    { name: "what AKS sets", value: "https://login.microsoftonline.com/", want: "login.microsoftonline.com" },
    { name: "nothing", value: "", want: "login.microsoftonline.com" },
  ])("of $name is Microsoft's own", ({ value, want }) => {
    const { facts, endpoints } = plan({}, { AZURE_AUTHORITY_HOST: value });
    expect(facts["authority"]).toBe(want);
    expect(endpoints).toEqual([]);
  });

  it("of any other is on record", () => {
    const { endpoints, facts } = plan({}, { AZURE_AUTHORITY_HOST: "https://127.0.0.1:8443/" });
    expect(endpoints).toEqual([{ variable: "AZURE_AUTHORITY_HOST", url: "https://127.0.0.1:8443" }]);
    expect(facts["authority"]).toBe("127.0.0.1:8443");
  });

  it.each([
    { name: "http, on loopback too", env: { AZURE_AUTHORITY_HOST: "http://127.0.0.1:8080" } },
    { name: "http elsewhere", env: { AZURE_AUTHORITY_HOST: "http://login.example" } },
    { name: "no URL", env: { AZURE_AUTHORITY_HOST: "login.microsoftonline.us" } },
    { name: "a password in it", env: { AZURE_AUTHORITY_HOST: "https://user:pass-canary@login.example" } },
    { name: "a path", env: { AZURE_AUTHORITY_HOST: "https://login.example/tenant" } },
    { name: "a region besides", env: { AZURE_REGIONAL_AUTHORITY_NAME: "westus2" } },
    { name: "MSAL's region besides", env: { MSAL_FORCE_REGION: "westus2" } },
  ])("is refused with $name", async ({ env }) => {
    const error = await thrownBy(() => plan({}, env as Record<string, string>));
    expect(error).toMatchObject({ code: "ENDPOINT_INVALID", exitCode: 78 });
    expect(`${error.message}${error.hint}`).not.toContain("canary");
  });
});
