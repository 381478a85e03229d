import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { azureCloud } from "../../../src/clouds/azure/index.js";
import type { RefusalReason } from "../../../src/core/endpoint.js";
import type { AzureSettings } from "../../../src/core/profile.js";
import { Secret } from "../../../src/core/secret.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { ARM_SCOPE, azureSettings, CLIENT, TENANT, VAULT_SCOPE } from "./fake-entra.js";
import { type Asking, grantOf, NOW, openRoom, PLACE, SECRET, STORAGE_SCOPE } from "./serving.js";

const OTHER = "99999999-9999-4999-8999-999999999999";
const { variables, ask } = openRoom();
const { IDENTITY_ENDPOINT = "", ARM_MSI_ENDPOINT = "", AZD_AUTH_ENDPOINT = "" } = variables;

function appService(query: Readonly<Record<string, string>>, more: Partial<Asking> = {}): Asking {
  const asked = new URLSearchParams({ "api-version": "2019-08-01", ...query });
  return { url: `${IDENTITY_ENDPOINT}?${asked}`, headers: { "x-identity-header": SECRET }, ...more };
}

function terraform(query: Readonly<Record<string, string>>, more: Partial<Asking> = {}): Asking {
  const asked = new URLSearchParams({ "api-version": "2018-02-01", ...query });
  return { url: `${ARM_MSI_ENDPOINT}?${asked}`, headers: { metadata: "true" }, ...more };
}

function azd(body: unknown, more: Partial<Asking> = {}): Asking {
  const headers = { authorization: `Bearer ${SECRET}` };
  const url = `${AZD_AUTH_ENDPOINT}/token?api-version=2023-07-12-preview`;
  return { method: "POST", url, headers, body: typeof body === "string" ? body : JSON.stringify(body), ...more };
}

describe("the variables that lead Azure's tools to the endpoint", () => {
  it("are each tool's own", () => {
    expect(variables).toEqual({
      AZURE_CONFIG_DIR: "/private/l-1/azure",
      IDENTITY_ENDPOINT: `${PLACE.url}/identity/token`,
      IDENTITY_HEADER: SECRET,
      ARM_MSI_ENDPOINT: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1234\/unguessable\/azure\/[\w-]{43}\/token$/),
      ARM_USE_MSI: "true",
      ARM_USE_CLI: "false",
      AZD_AUTH_ENDPOINT: `${PLACE.url}/azd`,
      AZD_AUTH_KEY: SECRET,
    });
  });

  it("keep what is secret in them secret", () => {
    const { endpoint } = openRoom();
    const secret = Object.entries(endpoint.variables(PLACE)).filter(([, value]) => value instanceof Secret);
    expect(secret.map(([name]) => name).sort()).toEqual(["ARM_MSI_ENDPOINT", "AZD_AUTH_KEY", "IDENTITY_HEADER"]);
  });

  it("put no secret into a path that is another's", () => {
    expect(ARM_MSI_ENDPOINT).not.toContain(SECRET);
    const other = openRoom().endpoint.variables({ ...PLACE, secret: new Secret("t".repeat(43)) });
    expect((other["ARM_MSI_ENDPOINT"] as Secret).reveal()).not.toBe(ARM_MSI_ENDPOINT);
  });

  it("come from the room", async () => {
    const endpoint = await azureCloud.serve(azureSettings(), fakeRuntime());
    expect(Object.keys(endpoint.variables(PLACE))).toEqual(Object.keys(variables));
  });
});

describe("a token of a managed identity", () => {
  it("comes in the words of App Service", () => {
    const resource = "https://storage.azure.com/";
    expect(ask(appService({ resource }))).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json; charset=utf-8" },
      json: {
        access_token: `token of ${STORAGE_SCOPE}`,
        client_id: CLIENT,
        expires_in: "3600",
        expires_on: String(NOW / 1000 + 3600),
        resource,
        token_type: "Bearer",
      },
    });
  });

  it("comes to Terraform in the same words", () => {
    const resource = "https://storage.azure.com/";
    expect(ask(terraform({ resource })).json).toEqual(ask(appService({ resource })).json);
  });

  it("never lasts less than no time", () => {
    const late = grantOf([ARM_SCOPE]);
    const secrets = { [ARM_SCOPE]: { value: new Secret("late"), usableUntil: NOW - 5_000 } };
    const { json } = openRoom({}, { ...late, secrets }).ask(appService({ resource: "https://management.azure.com" }));
    expect(json).toMatchObject({ expires_in: "0", expires_on: String(NOW / 1000 - 5) });
  });

  it.each<{ name: string; scopes: readonly string[]; resource: string; want: string | undefined }>([
    { name: "as the scope has it", scopes: [VAULT_SCOPE], resource: "https://vault.azure.net", want: VAULT_SCOPE },
    { name: "with a slash at its end", scopes: [VAULT_SCOPE], resource: "https://vault.azure.net/", want: VAULT_SCOPE },
    {
      name: "without the slash that the scope has",
      scopes: ["https://vault.azure.net//.default"],
      resource: "https://vault.azure.net",
      want: "https://vault.azure.net//.default",
    },
    { name: "in capitals", scopes: [VAULT_SCOPE], resource: "HTTPS://Vault.Azure.Net", want: VAULT_SCOPE },
    {
      name: "an application's own URI",
      scopes: ["api://mine/.default"],
      resource: "api://mine",
      want: "api://mine/.default",
    },
    { name: "an application's id", scopes: [`${OTHER}/.default`], resource: OTHER, want: `${OTHER}/.default` },
    {
      name: "Resource Manager, as az calls it",
      scopes: [ARM_SCOPE],
      resource: "https://management.core.windows.net/",
      want: ARM_SCOPE,
    },
    {
      name: "Resource Manager, as the SDKs call it",
      scopes: ["https://management.core.windows.net//.default"],
      resource: "https://management.azure.com",
      want: "https://management.core.windows.net//.default",
    },
    {
      name: "Resource Manager by the name asked for, where the profile has both",
      scopes: [ARM_SCOPE, "https://management.core.windows.net//.default"],
      resource: "https://management.core.windows.net/",
      want: "https://management.core.windows.net//.default",
    },
    {
      name: "Resource Manager of Azure Government",
      scopes: ["https://management.usgovcloudapi.net/.default"],
      resource: "https://management.core.usgovcloudapi.net/",
      want: "https://management.usgovcloudapi.net/.default",
    },
    {
      name: "another national cloud's Resource Manager",
      scopes: [ARM_SCOPE],
      resource: "https://management.usgovcloudapi.net/",
      want: undefined,
    },
    { name: "another API", scopes: [ARM_SCOPE], resource: "https://vault.azure.net", want: undefined },
    { name: "a path below", scopes: [VAULT_SCOPE], resource: "https://vault.azure.net/x", want: undefined },
    {
      name: "a name that begins so",
      scopes: [VAULT_SCOPE],
      resource: "https://vault.azure.net.example",
      want: undefined,
    },
    { name: "a name that every object has", scopes: [VAULT_SCOPE], resource: "constructor", want: undefined },
  ])("is for the resource asked for: $name", ({ scopes, resource, want }) => {
    const { status, json } = openRoom({ scopes }).ask(appService({ resource }));
    if (want === undefined) expect({ status, json }).toMatchObject({ status: 400, json: { error: "invalid_scope" } });
    else expect(json).toMatchObject({ access_token: `token of ${want}`, resource });
  });

  it.each([
    { name: "the profile's", query: { client_id: CLIENT }, served: true },
    { name: "the profile's in capitals", query: { client_id: CLIENT.toUpperCase() }, served: true },
    { name: "none", query: {}, served: true },
    { name: "another's", query: { client_id: OTHER }, served: false },
    { name: "another's, as Azure ML writes it", query: { clientid: OTHER }, served: false },
    { name: "by an object's id", query: { object_id: OTHER }, served: false },
    { name: "by a resource's id", query: { mi_res_id: "/subscriptions/x" }, served: false },
    { name: "by a resource's id, as a virtual machine has it", query: { msi_res_id: "/x" }, served: false },
  ])("is for the identity asked for: $name", ({ query, served }) => {
    const resource = "https://management.azure.com/";
    for (const asking of [appService({ resource, ...query }), terraform({ resource, ...query })]) {
      const { status, refusal } = ask(asking);
      expect({ status, reason: refusal?.reason }).toEqual(
        served ? { status: 200, reason: undefined } : { status: 400, reason: "scope" },
      );
    }
  });

  it("says what there is, in one line, when it is not what was asked for", () => {
    const { json, refusal } = ask(appService({ resource: `https://x.example/\u001b[31m\n${"y".repeat(9_000)}` }));
    expect(refusal?.message).toMatch(
      /^no token for https:\/\/x\.example\/\\u001b\[31m: azure\.scopes of this profile has /,
    );
    expect(refusal?.message).toContain(`${ARM_SCOPE}, ${STORAGE_SCOPE}`);
    expect(refusal?.message.length).toBeLessThan(400);
    // App Service's words, OAuth's, and the number that App Service repeats in the body.
    expect(json).toEqual({
      statusCode: 400,
      message: refusal?.message,
      error: "invalid_scope",
      error_description: refusal?.message,
    });
  });
});

describe("azd's token", () => {
  it("comes in azd's words", () => {
    const { status, json } = ask(azd({ scopes: ["https://management.azure.com//.default"] }));
    expect(status).toBe(200);
    expect(json).toEqual({ status: "success", token: `token of ${ARM_SCOPE}`, expiresOn: "2026-11-22T11:00:00Z" });
  });

  it.each<{ name: string; body: unknown; served: boolean }>([
    { name: "the profile's tenant", body: { scopes: [ARM_SCOPE], tenantId: TENANT.toUpperCase() }, served: true },
    { name: "no tenant", body: { scopes: [ARM_SCOPE], tenantId: "" }, served: true },
    { name: "two names of one API", body: { scopes: [ARM_SCOPE, "https://management.azure.com"] }, served: true },
    { name: "another tenant", body: { scopes: [ARM_SCOPE], tenantId: OTHER }, served: false },
    { name: "a scope that is not the profile's", body: { scopes: [VAULT_SCOPE] }, served: false },
    { name: "one that is and one that is not", body: { scopes: [ARM_SCOPE, VAULT_SCOPE] }, served: false },
    { name: "two APIs at once", body: { scopes: [ARM_SCOPE, STORAGE_SCOPE] }, served: false },
    { name: "no scope", body: { scopes: [] }, served: false },
    { name: "scopes that are no text", body: { scopes: [1] }, served: false },
    { name: "a tenant that is no text", body: { scopes: [ARM_SCOPE], tenantId: 1 }, served: false },
    { name: "no object", body: "null", served: false },
    { name: "no JSON", body: "scopes", served: false },
  ])("$name", ({ body, served }) => {
    const { status, json } = ask(azd(body));
    // azd shows the message of an answer whose status is 200, and of any other only the number.
    expect(status).toBe(200);
    expect(json).toMatchObject(
      served ? { status: "success" } : { status: "error", code: "GetTokenError", message: expect.stringMatching(/./) },
    );
    expect(JSON.stringify(json).includes("token of")).toBe(served);
  });

  it("is for the tenant's id as well, where the profile has a domain of it", async () => {
    const settings = { tenantId: "contoso.example" };
    const token = await new SignJWT({ tid: TENANT }).setProtectedHeader({ alg: "HS256" }).sign(Buffer.alloc(32));
    const secrets = { [ARM_SCOPE]: { value: new Secret(token), usableUntil: NOW + 60_000 } };
    const room = openRoom(settings, { ...grantOf([]), secrets });
    const statusFor = (tenantId: string) => room.ask(azd({ scopes: [ARM_SCOPE], tenantId })).json["status"];
    expect([TENANT, "contoso.example", OTHER].map(statusFor)).toEqual(["success", "success", "error"]);
  });
});

describe("who may ask", () => {
  const resource = "https://management.azure.com/";
  const wrong = `${SECRET.slice(1)}t`;
  const wrongPath = ARM_MSI_ENDPOINT.replace(/[\w-]{43}(?=\/token$)/, wrong);
  it.each<{ name: string; asking: Asking }>([
    { name: "App Service's without the header", asking: appService({ resource }, { headers: {} }) },
    { name: "with a wrong one", asking: appService({ resource }, { headers: { "x-identity-header": wrong } }) },
    { name: "with an empty one", asking: appService({ resource }, { headers: { "x-identity-header": "" } }) },
    { name: "by the header of another form", asking: appService({ resource }, { headers: { metadata: "true" } }) },
    { name: "Terraform's with a wrong path", asking: terraform({ resource }, { url: wrongPath }) },
    { name: "with the lease's secret as the path", asking: terraform({}, { url: `${PLACE.url}/${SECRET}/token` }) },
    { name: "with none", asking: terraform({}, { url: `${PLACE.url}//token` }) },
    { name: "azd's without the key", asking: azd({ scopes: [ARM_SCOPE] }, { headers: {} }) },
    {
      name: "with a wrong one",
      asking: azd({ scopes: [ARM_SCOPE] }, { headers: { authorization: `Bearer ${wrong}` } }),
    },
    { name: "with no scheme", asking: azd({ scopes: [ARM_SCOPE] }, { headers: { authorization: SECRET } }) },
    { name: "at another path", asking: appService({ resource }, { url: `${PLACE.url}/identity/tokens` }) },
    { name: "at none", asking: appService({ resource }, { url: PLACE.url }) },
  ])("not $name", ({ asking }) => {
    const { status, body } = ask(asking);
    expect(status).toBe(401);
    expect(body).not.toContain("token of");
  });
});

describe("a question that is not one", () => {
  const resource = "https://management.azure.com/";
  it.each<{ name: string; asking: Asking }>([
    { name: "another method", asking: appService({ resource }, { method: "POST" }) },
    { name: "another version", asking: appService({ resource, "api-version": "2017-09-01" }) },
    { name: "no resource", asking: appService({}) },
    { name: "an empty resource", asking: appService({ resource: "" }) },
    { name: "a machine's without the header that no browser sends", asking: terraform({ resource }, { headers: {} }) },
    { name: "azd's by GET", asking: azd({ scopes: [ARM_SCOPE] }, { method: "GET" }) },
  ])("$name", ({ asking }) => {
    const { refusal, body } = ask(asking);
    expect(refusal?.reason).toBe("bad-request");
    expect(body).not.toContain("token of");
  });

  it("is answered to azurerm's newer version too", () => {
    expect(ask(terraform({ resource, "api-version": "2019-08-01" })).status).toBe(200);
  });
});

describe("a refusal", () => {
  it.each<{ reason: RefusalReason; status: number; azd: number; retry?: string }>([
    { reason: "unauthorized", status: 401, azd: 401 },
    { reason: "stranger", status: 403, azd: 403 },
    { reason: "unknown-path", status: 404, azd: 200 },
    { reason: "bad-request", status: 400, azd: 200 },
    { reason: "scope", status: 400, azd: 200 },
    { reason: "lease-ended", status: 403, azd: 200 },
    { reason: "unavailable", status: 503, azd: 200, retry: "2" },
  ])("$reason is $status", ({ reason, status, azd: azdStatus, retry }) => {
    const { endpoint } = openRoom();
    const question = { method: "GET", path: "/identity/token", query: new URLSearchParams(), headers: {}, body: "" };
    const refusal = { reason, message: "for a reason" };
    for (const path of ["/identity/token", `/${"p".repeat(43)}/token`, "/"]) {
      const answer = endpoint.refuse({ ...question, path }, refusal);
      expect(answer.status).toBe(status);
      expect(answer.headers?.["retry-after"]).toBe(retry);
      expect(JSON.parse(answer.body)).toMatchObject({ message: "for a reason", error_description: "for a reason" });
    }
    const answer = endpoint.refuse({ ...question, path: "/azd/token" }, refusal);
    expect(answer.status).toBe(azdStatus);
    expect(JSON.parse(answer.body)).toEqual({ status: "error", code: "GetTokenError", message: "for a reason" });
  });
});

describe("the files that az reads", () => {
  const profileOf = (overrides: Partial<AzureSettings>, authority = "https://login.microsoftonline.com") => {
    const { files } = openRoom(overrides, grantOf([ARM_SCOPE], { facts: { authority } }));
    return { files, account: JSON.parse(String(files["azure/azureProfile.json"])).subscriptions[0] };
  };

  it("are a signed-in managed identity's", () => {
    const { files, account } = profileOf({ subscriptionId: OTHER });
    expect(Object.keys(files)).toEqual(["azure/azureProfile.json", "azure/config"]);
    expect(account).toEqual({
      id: OTHER,
      name: OTHER,
      state: "Enabled",
      user: { name: "userAssignedIdentity", type: "servicePrincipal", assignedIdentityInfo: `MSIClient-${CLIENT}` },
      isDefault: true,
      tenantId: TENANT,
      environmentName: "AzureCloud",
    });
    expect(files["azure/config"]).toBe(
      "[cloud]\nname = AzureCloud\n\n[core]\nfirst_run = yes\ncollect_telemetry = no\nsurvey_message = no\n",
    );
  });

  it("are a tenant's where the profile has no subscription", () => {
    expect(profileOf({}).account).toMatchObject({ id: TENANT, name: "N/A(tenant level account)", tenantId: TENANT });
  });

  it("have a tenant's domain where no token tells its id", () => {
    expect(profileOf({ tenantId: "contoso.example" }).account).toMatchObject({ tenantId: "contoso.example" });
  });

  it("hold no secret", () => {
    expect(JSON.stringify(profileOf({}).files)).not.toMatch(/token of|s{43}/);
  });

  it.each([
    { authority: "https://login.microsoftonline.us", want: "AzureUSGovernment" },
    { authority: "https://login.chinacloudapi.cn", want: "AzureChinaCloud" },
    { authority: "https://login.partner.microsoftonline.cn", want: "AzureChinaCloud" },
    { authority: "https://login.sovcloud-identity.fr", want: "AzureBleuCloud" },
    { authority: "https://127.0.0.1:8443", want: "AzureCloud" },
  ])("name the cloud of $authority", ({ authority, want }) => {
    const { files, account } = profileOf({}, authority);
    expect(account.environmentName).toBe(want);
    expect(files["azure/config"]).toContain(`name = ${want}\n`);
  });
});
