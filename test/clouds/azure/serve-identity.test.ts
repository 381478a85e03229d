import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { serveAzure } from "../../../src/clouds/azure/serve.js";
import type { EndpointRefusal } from "../../../src/core/endpoint.js";
import type { Grant } from "../../../src/core/lease.js";
import { ARM_SCOPE, azureSettings, CLIENT, TENANT, VAULT_SCOPE } from "./fake-entra.js";
import { grantOf, placeAt, revealed, type Served, STORAGE_SCOPE, serveOverHttp } from "./serving.js";

const AUTHORITY = "https://login.microsoftonline.com";
const endpoint = serveAzure(azureSettings({ scopes: [ARM_SCOPE, STORAGE_SCOPE] }), { now: Date.now });
let held: Grant | EndpointRefusal;
let served: Served;

// The library keeps the first address it finds for as long as the process lives, so that there is one for all tests.
beforeAll(async () => {
  served = await serveOverHttp(endpoint, () => held);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await served.close();
});
beforeEach(() => {
  held = issue(3_600_000);
  const context = { AZURE_CLIENT_ID: CLIENT, AZURE_TENANT_ID: TENANT, AZURE_AUTHORITY_HOST: AUTHORITY };
  const variables = { ...context, ...endpoint.variables(placeAt(served.url)) };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, revealed(value));
});

/** For so long from now. The library keeps tokens by what was asked, so that a test asks for what no other does. */
function issue(lastsMs: number): Grant {
  const scopes = [ARM_SCOPE, STORAGE_SCOPE].map((scope) => {
    const { value } = grantOf([scope]).secrets[scope] ?? {};
    return [scope, { value, usableUntil: Date.now() + lastsMs }];
  });
  return grantOf([], { secrets: Object.fromEntries(scopes) });
}

async function askedBy(action: () => Promise<unknown>): Promise<{ requests: number; message: string }> {
  const before = served.asked.length;
  const message = await action().then(
    () => "",
    (error: Error) => error.message,
  );
  return { requests: served.asked.length - before, message };
}

describe("@azure/identity", () => {
  it.each([
    { name: "ManagedIdentityCredential", make: () => new ManagedIdentityCredential(), scope: STORAGE_SCOPE },
    {
      name: "ManagedIdentityCredential with the client id",
      make: () => new ManagedIdentityCredential({ clientId: CLIENT }),
      scope: STORAGE_SCOPE,
    },
    { name: "DefaultAzureCredential", make: () => new DefaultAzureCredential(), scope: ARM_SCOPE },
  ])("$name has the token, and how long it lasts", async ({ make, scope }) => {
    vi.stubEnv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential");
    const { token, expiresOnTimestamp } = await make().getToken(scope);
    expect(token).toBe(`token of ${scope}`);
    expect(Math.abs(expiresOnTimestamp - Date.now() - 3_600_000)).toBeLessThan(10_000);
  });

  it("comes to the managed identity along its whole chain, though client and tenant are set", async () => {
    vi.stubEnv("AZURE_TOKEN_CREDENTIALS", undefined);
    const { token } = await new DefaultAzureCredential().getToken("https://management.core.windows.net//.default");
    expect(token).toBe(`token of ${ARM_SCOPE}`);
  });

  it("asks for a token that is about to end each time, and has the renewed one", async () => {
    held = issue(60_000);
    const credential = new ManagedIdentityCredential();
    const scope = "https://management.azure.com//.default";
    const first = await credential.getToken(scope);
    held = issue(120_000);
    const second = await credential.getToken(scope);
    expect(second.expiresOnTimestamp - first.expiresOnTimestamp).toBeGreaterThan(30_000);
  });

  it.each<{ name: string; held?: EndpointRefusal; scope: string; clientId?: string; says: RegExp }>([
    {
      name: "a scope that is not the profile's",
      scope: VAULT_SCOPE,
      says: /no token for https:\/\/vault\.azure\.net: /,
    },
    { name: "another identity", scope: ARM_SCOPE, clientId: TENANT, says: /no identity but application \S+ is served/ },
    {
      name: "a lease that has ended",
      held: { reason: "lease-ended", message: "the lease is over" },
      scope: "https://ended.example/.default",
      says: /the lease is over/,
    },
  ])("shows why there is no token, and asks once: $name", async (asking) => {
    if (asking.held !== undefined) held = asking.held;
    const { clientId, scope, says } = asking;
    const credential = new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
    const { requests, message } = await askedBy(() => credential.getToken(scope));
    expect(message).toMatch(says);
    expect(requests).toBe(1);
  });

  it("tries again after the pause that is asked for, for what passes", async () => {
    held = { reason: "unavailable", message: "Azure could not be reached" };
    const before = served.asked.length;
    const asking = new ManagedIdentityCredential().getToken("https://Management.azure.com");
    await vi.waitUntil(() => served.asked.length > before);
    held = issue(3_600_000);
    expect((await asking).token).toBe(`token of ${ARM_SCOPE}`);
    expect(served.asked.length - before).toBe(2);
  });
});
