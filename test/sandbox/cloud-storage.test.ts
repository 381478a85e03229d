import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import type { Answer } from "./clients.js";
import {
  callGoogle,
  federate,
  type GoogleCall,
  narrow,
  type Rule,
  serviceAccount,
  signIn,
  tokenOf,
} from "./gcp-clients.js";

let sandbox: Sandbox;
let token: string;
beforeAll(async () => {
  const { gcp } = defaultWorld();
  const { demo } = gcp.buckets;
  if (demo === undefined) throw new Error("no bucket");
  const own = `serviceAccount:demo@agentctl-demo.iam.gserviceaccount.com`;
  const viewer = { role: "roles/storage.objectViewer", members: [own] };
  const expired = { ...viewer, condition: 'request.time < timestamp("2020-01-01T00:00:00Z")' };
  const partly = { ...viewer, condition: 'resource.name.startsWith("projects/_/buckets/partly/objects/open/")' };
  const objects = { "open/a": "a", "shut/b": "b" };
  sandbox = await startSandbox({
    gcp: {
      ...gcp,
      buckets: {
        ...gcp.buckets,
        expired: { objects, bindings: [expired] },
        partly: { objects, bindings: [partly] },
        readable: { objects, bindings: [viewer] },
        writable: { objects, bindings: [{ role: "roles/storage.objectCreator", members: [own] }] },
      },
    },
  });
  token = await signIn(sandbox);
});
afterEach(() => sandbox.clock.setOffset(0));
afterAll(() => sandbox.close());

const OBJECTS = "/storage/v1/b/demo/o";
const UPLOADS = "/upload/storage/v1/b/demo/o";

function call(path: string, options: GoogleCall = {}, bearer = token): Promise<Answer> {
  return callGoogle(sandbox, path, bearer, options);
}

function read(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.body) as Record<string, unknown>;
}

/** `STATUS reason` of a refusal, or the status alone. */
function outcome(answer: Answer): string {
  if (answer.status < 400) return String(answer.status);
  const { error } = read(answer) as { error: { code: number; errors: { reason: string }[] } };
  return `${error.code} ${error.errors[0]?.reason}`;
}

describe("Cloud Storage", () => {
  it("lists, a page at a time and by folders", async () => {
    const first = read(await call(`${OBJECTS}?maxResults=1`));
    expect(first).toMatchObject({ items: [{ name: "hello.txt", size: "33", contentType: "text/plain" }] });
    const next = read(await call(`${OBJECTS}?maxResults=1&pageToken=${first["nextPageToken"]}`));
    expect(next).toMatchObject({ items: [{ name: "reports/2026/q3.csv" }] });
    expect(next).not.toHaveProperty("nextPageToken");
    expect(read(await call(`${OBJECTS}?delimiter=/`))).toMatchObject({ prefixes: ["reports/"] });
    expect(read(await call(`${OBJECTS}?prefix=none`))).toEqual({ kind: "storage#objects" });
  });

  it("describes an object, and gives its content by the JSON API and by the XML API, in parts as well", async () => {
    const name = encodeURIComponent("reports/2026/q3.csv");
    const described = read(await call(`${OBJECTS}/${name}`));
    expect(described).toMatchObject({ bucket: "demo", name: "reports/2026/q3.csv", md5Hash: expect.any(String) });
    const text = "region,total\neu,42\n";
    for (const path of [
      `${OBJECTS}/${name}?alt=media`,
      `/download${OBJECTS}/${name}?alt=media`,
      "/demo/reports/2026/q3.csv",
    ]) {
      expect(await call(path)).toMatchObject({ status: 200, body: text });
    }
    const part = await call("/demo/hello.txt", { headers: { range: "bytes=-9" } });
    expect(part).toMatchObject({ status: 206, body: "sandbox.\n" });
    expect(part.headers["content-range"]).toBe("bytes 24-32/33");
    expect(await call("/demo/hello.txt", { headers: { range: "bytes=99-" } })).toMatchObject({ status: 416 });
  });

  it("takes an upload as media, as multipart and in parts, and deletes it again", async () => {
    const media = { method: "POST", headers: { "content-type": "text/css" }, body: "whole" };
    expect(read(await call(`${UPLOADS}?uploadType=media&name=a.css`, media))).toMatchObject({
      contentType: "text/css",
    });

    for (const [mark, eol] of [
      ["=='b'==", "\r\n"],
      ["bb", "\n"],
    ] as const) {
      const lines = [`--${mark}`, "Content-Type: application/json", "", '{"name":"b.txt","metadata":{"k":"v"}}'];
      const rest = [`--${mark}`, "Content-Type: text/plain", "", `two${eol}lines`, `--${mark}--`, ""];
      const headers = { "content-type": `multipart/related; boundary="${mark}"` };
      const body = [...lines, ...rest].join(eol);
      const answer = read(await call(`${UPLOADS}?uploadType=multipart`, { method: "POST", headers, body }));
      expect(answer).toMatchObject({ name: "b.txt", contentType: "text/plain", metadata: { k: "v" } });
      expect((await call("/demo/b.txt")).body).toBe(`two${eol}lines`);
    }

    const opened = await call(`/resumable${UPLOADS}?uploadType=resumable`, { method: "POST", body: '{"name":"c"}' });
    const session = String(opened.headers["location"]).replace(/^https:\/\/[^/]+/, "");
    const put = (range: string, body = ""): Promise<Answer> =>
      callGoogle(sandbox, session, undefined, { method: "PUT", headers: { "content-range": range }, body });
    expect((await put("bytes 0-3/*", "abcd")).headers["range"]).toBe("bytes=0-3");
    expect((await put("bytes */*")).headers["range"]).toBe("bytes=0-3");
    expect(outcome(await put("bytes 9-9/10", "x"))).toBe("400 invalid");
    expect(read(await put("bytes 4-5/6", "ef"))).toMatchObject({ name: "c", size: "6" });
    expect((await call("/demo/c")).body).toBe("abcdef");
    expect(outcome(await put("bytes 6-6/7", "g"))).toBe("404 notFound");

    for (const name of ["a.css", "b.txt", "c"]) {
      expect(outcome(await call(`${OBJECTS}/${name}`, { method: "DELETE" }))).toBe("204");
      expect(outcome(await call(`${OBJECTS}/${name}`))).toBe("404 notFound");
    }
  });

  it("holds a writer to the generation that it knows", async () => {
    const upload = (match: string, body: string): Promise<Answer> =>
      call(`${UPLOADS}?uploadType=media&name=lock&ifGenerationMatch=${match}`, { method: "POST", body });
    const { generation } = read(await upload("0", "first")) as { generation: string };
    expect(outcome(await upload("0", "second"))).toBe("412 conditionNotMet");
    const path = `${OBJECTS}/lock`;
    expect(outcome(await call(`${path}?ifGenerationMatch=1`, { method: "DELETE" }))).toBe("412 conditionNotMet");
    expect(outcome(await call(`${path}?generation=1`))).toBe("404 notFound");
    expect(outcome(await call(`${path}?ifGenerationMatch=${generation}`, { method: "DELETE" }))).toBe("204");
  });

  interface Row {
    readonly name: string;
    readonly path: string;
    readonly options?: GoogleCall;
    readonly bearer?: () => string | undefined | Promise<string>;
    readonly offsetMs?: number;
    readonly want: string;
  }
  const write: GoogleCall = { method: "POST", body: "x" };
  const readOnly = "https://www.googleapis.com/auth/devstorage.read_only";
  const rows: readonly Row[] = [
    { name: "nobody", path: "/demo/hello.txt", bearer: () => undefined, want: "401 required" },
    { name: "an unknown token", path: "/demo/hello.txt", bearer: () => "ya29.x", want: "401 authError" },
    { name: "an expired token", path: "/demo/hello.txt", offsetMs: 3_600_000, want: "401 authError" },
    { name: "a bucket without a role", path: "/other/private.txt", want: "403 forbidden" },
    { name: "a bucket that is not there", path: "/storage/v1/b/nobucket/o", want: "404 notFound" },
    { name: "an object that is not there", path: `${OBJECTS}/none`, want: "404 notFound" },
    { name: "the list of buckets without a role", path: "/storage/v1/b?project=x", want: "403 forbidden" },
    { name: "a bucket's description without a role", path: "/storage/v1/b/demo", want: "403 forbidden" },
    { name: "a role that has ended", path: "/expired/open/a", want: "403 forbidden" },
    { name: "an object that the role's condition leaves out", path: "/partly/shut/b", want: "403 forbidden" },
    {
      name: "to write where one may read",
      path: "/upload/storage/v1/b/readable/o?uploadType=media&name=x",
      options: write,
      want: "403 forbidden",
    },
    {
      name: "to overwrite where one may create",
      path: "/upload/storage/v1/b/writable/o?uploadType=media&name=open/a",
      options: write,
      want: "403 forbidden",
    },
    {
      name: "to write with a token for reading",
      path: `${UPLOADS}?uploadType=media&name=x`,
      options: write,
      bearer: () => federate(sandbox, { scope: readOnly }),
      want: "403 insufficientPermissions",
    },
    { name: "an upload without a name", path: `${UPLOADS}?uploadType=media`, options: write, want: "400 required" },
    { name: "multipart that is none", path: `${UPLOADS}?uploadType=multipart`, options: write, want: "400 badContent" },
    { name: "what it does not do", path: "/storage/v1/b/demo/acl", want: "404 notFound" },
  ];
  it.each(rows)("refuses $name", async ({ path, options, bearer, offsetMs, want }) => {
    const given = bearer === undefined ? token : await bearer();
    sandbox.clock.setOffset(offsetMs ?? 0, "gcs");
    expect(outcome(await callGoogle(sandbox, path, given, options))).toBe(want);
  });

  it.each([
    {
      name: "create where nothing is",
      path: "/upload/storage/v1/b/writable/o?uploadType=media&name=new",
      options: write,
    },
    { name: "read what the role's condition leaves", path: "/partly/open/a", options: {} },
  ])("lets one $name", async ({ path, options }) => {
    expect((await call(path, options)).status).toBe(200);
  });

  it("names the caller and the permission in a refusal", async () => {
    const { error } = read(await call(`/storage/v1/b/other/o/private.txt`)) as { error: { message: string } };
    expect(error.message).toBe(
      `${serviceAccount(sandbox)} does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).`,
    );
  });

  it("takes the federated token itself where the pool has a role", async () => {
    expect((await call("/demo/hello.txt", {}, await federate(sandbox))).status).toBe(200);
    expect(outcome(await call("/readable/open/a", {}, await federate(sandbox)))).toBe("403 forbidden");
  });
});

describe("a token within a boundary", () => {
  const inReports = "resource.name.startsWith('projects/_/buckets/demo/objects/reports/')";
  const listsReports = "api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('reports/')";
  const rule: Rule = {
    availableResource: "//storage.googleapis.com/projects/_/buckets/demo",
    availablePermissions: ["inRole:roles/storage.objectViewer"],
    availabilityCondition: { expression: `${inReports} || ${listsReports}` },
  };
  let bounded: string;
  beforeAll(async () => {
    bounded = tokenOf(await narrow(sandbox, token, [rule]));
  });

  it.each([
    { what: "reads within", path: "/demo/reports/2026/q3.csv", want: "200" },
    { what: "reads beyond the prefix", path: "/demo/hello.txt", want: "403 forbidden" },
    { what: "lists within", path: `${OBJECTS}?prefix=reports/`, want: "200" },
    { what: "lists everything", path: OBJECTS, want: "403 forbidden" },
    { what: "reads in another bucket that the account may read", path: "/readable/open/a", want: "403 forbidden" },
    {
      what: "writes within, for which the role is too small",
      path: `${UPLOADS}?uploadType=media&name=reports/x`,
      options: { method: "POST", body: "x" },
      want: "403 forbidden",
    },
  ])("$what: $want", async ({ path, options, want }) => {
    expect(outcome(await call(path, options ?? {}, bounded))).toBe(want);
  });

  it("gives nothing that the account may not do", async () => {
    const other = { ...rule, availableResource: "//storage.googleapis.com/projects/_/buckets/other" };
    const { availabilityCondition: _, ...unconditional } = other;
    const wide = tokenOf(await narrow(sandbox, token, [unconditional]));
    expect(outcome(await call("/other/private.txt", {}, wide))).toBe("403 forbidden");
  });
});
