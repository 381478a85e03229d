import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { callArm, callBlob, MANAGEMENT, signIn } from "./azure-clients.js";
import { codeOf } from "./clients.js";

let sandbox: Sandbox;
let management: string;
let storage: string;
let forged: string;
beforeAll(async () => {
  sandbox = await startSandbox();
  [storage, management] = await Promise.all([signIn(sandbox), signIn(sandbox, { scope: MANAGEMENT })]);
  forged = await new SignJWT({ aud: "https://storage.azure.com", appid: "x" })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("1h")
    .sign(Buffer.from("some secret of somebody else's own"));
});
afterEach(() => sandbox.clock.setOffset(0));
afterAll(() => sandbox.close());

const SUBSCRIPTION = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
const GROUPS = `${SUBSCRIPTION}/resourcegroups?api-version=2024-11-01`;

describe("Resource Manager", () => {
  it("lists resource groups and subscriptions for a token that is for it", async () => {
    const groups = JSON.parse((await callArm(sandbox, GROUPS, management)).body) as { value: { name: string }[] };
    expect(groups.value.map(({ name }) => name)).toEqual(["demo", "other"]);
    const one = JSON.parse((await callArm(sandbox, `${SUBSCRIPTION}?api-version=1`, management)).body);
    const all = JSON.parse((await callArm(sandbox, "/subscriptions?api-version=1", management)).body);
    expect(all).toMatchObject({ value: [one] });
  });

  it.each([
    { group: "demo", want: 200, code: undefined },
    { group: "DEMO", want: 200, code: undefined },
    { group: "nowhere", want: 404, code: "ResourceGroupNotFound" },
  ])("answers $want for the resource group $group", async ({ group, want, code }) => {
    const answer = await callArm(sandbox, `${SUBSCRIPTION}/resourceGroups/${group}?api-version=2021-04-01`, management);
    expect(answer.status).toBe(want);
    expect(JSON.parse(answer.body)).toMatchObject(code === undefined ? { name: "demo" } : { error: { code } });
  });

  interface Row {
    readonly name: string;
    readonly path?: string;
    readonly token?: () => string | undefined;
    readonly offsetMs?: number;
    readonly want: string;
  }
  const rows: readonly Row[] = [
    { name: "no token", token: () => undefined, want: "401 AuthenticationFailed" },
    { name: "a token for storage", token: () => storage, want: "401 InvalidAuthenticationTokenAudience" },
    { name: "no token of Entra's", token: () => forged, want: "401 InvalidAuthenticationToken" },
    { name: "no JWT", token: () => "x", want: "401 InvalidAuthenticationToken" },
    { name: "an expired token", offsetMs: 3_600_000, want: "401 ExpiredAuthenticationToken" },
    { name: "no API version", path: `${SUBSCRIPTION}/resourcegroups`, want: "400 MissingApiVersionParameter" },
    {
      name: "another subscription",
      path: `/subscriptions/${crypto.randomUUID()}/resourcegroups?api-version=1`,
      want: "404 SubscriptionNotFound",
    },
    { name: "what is not here", path: `${SUBSCRIPTION}/providers?api-version=1`, want: "404 NotFound" },
  ];
  it.each(rows)("refuses $name", async ({ path, token, offsetMs, want }) => {
    sandbox.clock.setOffset(offsetMs ?? 0, "arm");
    const answer = await callArm(sandbox, path ?? GROUPS, token === undefined ? management : token());
    const { error } = JSON.parse(answer.body) as { error: { code: string } };
    expect(`${answer.status} ${error.code}`).toBe(want);
    expect(answer.headers["www-authenticate"] !== undefined).toBe(answer.status === 401);
  });

  it("refuses an application without a role there, and names it", async () => {
    const { azure } = sandbox.world;
    const [[clientId, app] = ["", undefined]] = Object.entries(azure.apps);
    if (app === undefined) throw new Error("no application");
    const group = `${SUBSCRIPTION}/resourceGroups/demo`;
    const roles = [{ role: "Owner", scope: group }];
    const narrow = await startSandbox({ azure: { ...azure, apps: { [clientId]: { ...app, roles } } } });
    try {
      const token = await signIn(narrow, { scope: MANAGEMENT });
      const answer = await callArm(narrow, GROUPS, token);
      expect(JSON.parse(answer.body)).toMatchObject({
        error: { code: "AuthorizationFailed", message: expect.stringContaining(`The client '${clientId}'`) },
      });
      expect(JSON.parse((await callArm(narrow, "/subscriptions?api-version=1", token)).body)).toMatchObject({
        value: [],
      });
    } finally {
      await narrow.close();
    }
  });
});

const PUT = { method: "PUT", headers: { "x-ms-blob-type": "BlockBlob", "content-type": "text/plain" } };

describe("Blob Storage", () => {
  it("lists, a page at a time and by folders", async () => {
    const list = "/demo?restype=container&comp=list";
    const first = await callBlob(sandbox, `${list}&maxresults=1`, storage);
    expect(first.body).toContain("<Name>hello.txt</Name>");
    expect(first.body).toContain("<NextMarker>reports/2026/q3.csv</NextMarker>");
    const next = await callBlob(sandbox, `${list}&maxresults=1&marker=reports/2026/q3.csv`, storage);
    expect(next.body).toContain("<Name>reports/2026/q3.csv</Name>");
    expect(next.body).toContain("<NextMarker/>");
    const folders = await callBlob(sandbox, `${list}&delimiter=/`, storage);
    expect(folders.body).toContain("<BlobPrefix><Name>reports/</Name></BlobPrefix>");
    expect((await callBlob(sandbox, "?comp=list", storage)).body).toContain("<Name>other</Name>");
  });

  it("reads, in parts as well, writes and deletes", async () => {
    expect(await callBlob(sandbox, "/demo/new.txt", storage, { ...PUT, body: "a new blob" })).toMatchObject({
      status: 201,
    });
    expect(await callBlob(sandbox, "/demo/new.txt", storage)).toMatchObject({ status: 200, body: "a new blob" });
    const part = await callBlob(sandbox, "/demo/new.txt", storage, { headers: { "x-ms-range": "bytes=2-4" } });
    expect(part).toMatchObject({ status: 206, body: "new" });
    expect(part.headers["content-range"]).toBe("bytes 2-4/10");
    const head = await callBlob(sandbox, "/demo/new.txt", storage, { method: "HEAD" });
    expect(head.headers).toMatchObject({ "content-length": "10", "x-ms-blob-type": "BlockBlob" });
    expect(await callBlob(sandbox, "/demo/new.txt", storage, { method: "DELETE" })).toMatchObject({ status: 202 });
    expect(codeOf(await callBlob(sandbox, "/demo/new.txt", storage))).toBe("BlobNotFound");
  });

  interface Row {
    readonly name: string;
    readonly path?: string;
    readonly token?: () => string | undefined;
    readonly call?: Parameters<typeof callBlob>[3];
    readonly offsetMs?: number;
    readonly want: string;
    readonly detail?: string;
  }
  const rows: readonly Row[] = [
    { name: "nobody", token: () => undefined, want: "409 PublicAccessNotPermitted" },
    {
      name: "an account key",
      token: () => undefined,
      call: { headers: { authorization: "SharedKey agentctldemo:x" } },
      want: "403 KeyBasedAuthenticationNotPermitted",
    },
    {
      name: "a token without a version",
      call: { headers: { "x-ms-version": undefined } },
      want: "403 AuthenticationFailed",
      detail: "Authentication scheme Bearer is not supported in this version.",
    },
    {
      name: "a version before tokens",
      call: { headers: { "x-ms-version": "2017-04-17" } },
      want: "403 AuthenticationFailed",
      detail: "not supported in this version",
    },
    {
      name: "a token for Resource Manager",
      token: () => management,
      want: "401 InvalidAuthenticationInfo",
      detail: "Audience validation failed. Audience did not match.",
    },
    {
      name: "an expired token",
      offsetMs: 3_600_000,
      want: "401 InvalidAuthenticationInfo",
      detail: "Lifetime validation failed. The token is expired.",
    },
    { name: "no token of Entra's", token: () => forged, want: "401 InvalidAuthenticationInfo", detail: "malformed" },
    { name: "a container without a role", path: "/other/private.txt", want: "403 AuthorizationPermissionMismatch" },
    { name: "a container that is not there", path: "/none/x", want: "403 AuthorizationPermissionMismatch" },
    { name: "a blob that is not there", path: "/demo/none", want: "404 BlobNotFound" },
    { name: "what it does not do", path: "/demo/hello.txt?comp=tags", want: "405 UnsupportedHttpVerb" },
    {
      name: "a page blob",
      path: "/demo/page",
      call: { method: "PUT", headers: { "x-ms-blob-type": "PageBlob" } },
      want: "400 MissingRequiredHeader",
    },
    {
      name: "to overwrite where that is unwanted",
      path: "/demo/hello.txt",
      call: { ...PUT, headers: { ...PUT.headers, "if-none-match": "*" }, body: "x" },
      want: "409 BlobAlreadyExists",
    },
    {
      name: "to overwrite another state",
      path: "/demo/hello.txt",
      call: { ...PUT, headers: { ...PUT.headers, "if-match": '"0x8"' }, body: "x" },
      want: "412 ConditionNotMet",
    },
    {
      name: "a range beyond the end",
      call: { headers: { range: "bytes=900-" } },
      want: "416 InvalidRange",
    },
  ];
  it.each(rows)("refuses $name", async ({ path, token, call, offsetMs, want, detail }) => {
    sandbox.clock.setOffset(offsetMs ?? 0, "blob");
    const answer = await callBlob(sandbox, path ?? "/demo/hello.txt", token === undefined ? storage : token(), call);
    expect(`${answer.status} ${codeOf(answer)}`).toBe(want);
    expect(answer.headers["x-ms-error-code"]).toBe(codeOf(answer));
    if (detail !== undefined) expect(answer.body).toContain(detail);
  });

  it("knows a container that is not there when the role covers the account", async () => {
    const { azure } = sandbox.world;
    const [[clientId, app] = ["", undefined]] = Object.entries(azure.apps);
    if (app === undefined) throw new Error("no application");
    const roles = [{ role: "Storage Blob Data Reader", scope: `${SUBSCRIPTION}/resourceGroups/DEMO` }];
    const wide = await startSandbox({ azure: { ...azure, apps: { [clientId]: { ...app, roles } } } });
    try {
      const token = await signIn(wide);
      expect(codeOf(await callBlob(wide, "/none/x", token))).toBe("ContainerNotFound");
      expect(await callBlob(wide, "/other/private.txt", token)).toMatchObject({ status: 200 });
      const write = await callBlob(wide, "/demo/x", token, { ...PUT, body: "x" });
      expect(codeOf(write)).toBe("AuthorizationPermissionMismatch");
    } finally {
      await wide.close();
    }
  });
});
