import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { resolveAzure } from "../../src/config/resolve-azure.js";
import { azureSchema } from "../../src/config/schema-azure.js";
import { fakeRuntime } from "../fake-runtime.js";

const TENANT = "11111111-2222-3333-4444-555555555555";
const CLIENT = "66666666-7777-8888-9999-AAAAAAAAAAAA";

function messagesOf(block: unknown): string {
  const parsed = z.safeParse(azureSchema, block);
  if (parsed.success) return "";
  const lines = parsed.error.issues.map((issue) => {
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
    return `${[...issue.path, ...keys].join(".")} ${issue.message}`;
  });
  return lines.join("\n");
}

describe("the azure block", () => {
  it.each([
    { name: "nothing, which a parent may fill", block: {} },
    {
      name: "all of it",
      block: { tenant_id: TENANT, client_id: CLIENT, subscription_id: TENANT, audience: "api://x" },
    },
    { name: "a domain", block: { tenant_id: "contoso.onmicrosoft.com" } },
    { name: "a resource by its id", block: { scopes: [`${TENANT}/.default`] } },
    { name: "a resource by its URI", block: { scopes: ["api://my-app/.default", "https://vault.azure.net/.default"] } },
  ])("takes $name", ({ block }) => {
    expect(messagesOf(block)).toBe("");
  });

  it.each([
    { name: "an unknown key", block: { tenant: TENANT }, want: /tenant/ },
    {
      name: "a client id of too few digits",
      block: { client_id: TENANT.slice(1) },
      want: /client_id "1111111-…" is not an id such as/,
    },
    { name: "a client's name", block: { client_id: "deploy" }, want: /client_id "deploy" is not an id/ },
    { name: "a subscription's name", block: { subscription_id: "Pay-As-You-Go" }, want: /subscription_id .*not an id/ },
    {
      name: "a tenant that is a word",
      block: { tenant_id: "contoso" },
      want: /tenant_id "contoso" is neither a tenant's id nor a domain/,
    },
    { name: "a tenant that is none", block: { tenant_id: "common" }, want: /"common" is no tenant/ },
    { name: "a tenant with a path", block: { tenant_id: "contoso.com/x" }, want: /neither/ },
    { name: "no scopes", block: { scopes: [] }, want: /scopes is an empty list/ },
    {
      name: "a scope of two resources",
      block: { scopes: ["https://a.example/.default https://b.example/.default"] },
      want: /scopes\.0 has a space in it/,
    },
    {
      name: "a delegated scope",
      block: { scopes: ["https://graph.microsoft.com/User.Read"] },
      want: /does not end in \/\.default/,
    },
    { name: "a scope of nothing", block: { scopes: ["/.default"] }, want: /names no resource/ },
    { name: "a scope without TLS", block: { scopes: ["http://a.example/.default"] }, want: /names no resource/ },
    { name: "an empty audience", block: { audience: " " }, want: /audience is empty/ },
    { name: "no audience at all", block: { audience: [] }, want: /audience is an empty list/ },
    { name: "an empty one in a list", block: { audience: ["a", ""] }, want: /audience\.1 is empty/ },
    { name: "an audience that is no text", block: { audience: 3 }, want: /audience/ },
    { name: "an endpoint", block: { authority_host: "https://login.example" }, want: /authority_host/ },
  ])("refuses $name", ({ block, want }) => {
    expect(messagesOf(block)).toMatch(want);
  });
});

describe("resolveAzure", () => {
  function resolve(block: z.infer<typeof azureSchema>) {
    const reported: string[] = [];
    const report = (path: readonly (string | number)[], message: string) =>
      void reported.push(`${path.join(".")} ${message}`);
    return { settings: resolveAzure(block, { runtime: fakeRuntime(), baseDir: "/", report }), reported };
  }

  it("puts Azure Resource Manager and Microsoft Entra's audience where nothing is written", () => {
    expect(resolve({ tenant_id: TENANT, client_id: CLIENT }).settings).toEqual({
      tenantId: TENANT,
      clientId: CLIENT,
      otherClientIds: [],
      assignments: [],
      allowUnbounded: false,
      scopes: ["https://management.azure.com/.default"],
      audiences: ["api://AzureADTokenExchange"],
    });
  });

  it("takes over what is written", () => {
    const block = { subscription_id: TENANT, scopes: ["https://vault.azure.net/.default"], audience: "api://x" };
    expect(resolve({ tenant_id: TENANT, client_id: CLIENT, ...block }).settings).toEqual({
      tenantId: TENANT,
      clientId: CLIENT,
      otherClientIds: [],
      assignments: [],
      allowUnbounded: false,
      subscriptionId: TENANT,
      scopes: ["https://vault.azure.net/.default"],
      audiences: ["api://x"],
    });
  });

  it("reports each of the two that are missing", () => {
    const { settings, reported } = resolve({});
    expect(settings).toBeUndefined();
    expect(reported).toEqual([
      "tenant_id is missing: which tenant the application is in",
      "client_id is missing: which application to be",
    ]);
  });
});
