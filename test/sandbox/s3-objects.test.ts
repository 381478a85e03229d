import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { type Answer, assumeDemoRole, type Call, callS3, codeOf, type Keys } from "./clients.js";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

let sandbox: Sandbox;
let keys: Keys;
beforeAll(async () => {
  sandbox = await startSandbox();
  keys = await assumeDemoRole(sandbox);
});
afterAll(() => sandbox.close());

const get = (path: string, query: Record<string, string> = {}): Promise<Answer> =>
  callS3(sandbox, keys, { path, query });
const put = (path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> =>
  callS3(sandbox, keys, { method: "PUT", path, body, headers });

describe("objects", () => {
  it("are read as they were written, whatever the key", async () => {
    const path = "/demo/a%20b/%C3%BC%2B%26%3D.txt";
    expect((await put(path, "hello", { "content-type": "text/x-test" })).status).toBe(200);
    const answer = await get(path);
    expect([answer.status, answer.body, answer.headers["content-type"]]).toEqual([200, "hello", "text/x-test"]);
    expect(answer.headers["etag"]).toBe(`"${createHash("md5").update("hello").digest("hex")}"`);
    const listed = await get("/demo", { "list-type": "2", prefix: "a b/" });
    expect(listed.body).toContain("<Key>a b/ü+&#38;=.txt</Key>");
  });

  it("are told of by HEAD without a body", async () => {
    await put("/demo/head", "12345");
    const answer = await callS3(sandbox, keys, { method: "HEAD", path: "/demo/head" });
    expect([answer.status, answer.headers["content-length"], answer.body]).toEqual([200, "5", ""]);
  });

  it("are gone once deleted", async () => {
    await put("/demo/gone", "x");
    expect((await callS3(sandbox, keys, { method: "DELETE", path: "/demo/gone" })).status).toBe(204);
    expect(codeOf(await get("/demo/gone"))).toBe("NoSuchKey");
  });

  const ranges = [
    { range: "bytes=0-1", want: [206, "01", "bytes 0-1/10"] },
    { range: "bytes=8-", want: [206, "89", "bytes 8-9/10"] },
    { range: "bytes=-3", want: [206, "789", "bytes 7-9/10"] },
    { range: "bytes=4-99", want: [206, "456789", "bytes 4-9/10"] },
  ];
  it.each(ranges)("are read in parts: $range", async ({ range, want }) => {
    await put("/demo/range", "0123456789");
    const answer = await callS3(sandbox, keys, { path: "/demo/range", headers: { range } });
    expect([answer.status, answer.body, answer.headers["content-range"]]).toEqual(want);
  });

  it("are not overwritten when the writer says so", async () => {
    await put("/demo/once", "first");
    expect((await put("/demo/once", "second", { "if-none-match": "*" })).status).toBe(412);
    expect((await get("/demo/once")).body).toBe("first");
  });
});

describe("uploads", () => {
  const chunked = (body: string, checksum: string, length = body.length): Call => ({
    method: "PUT",
    path: "/demo/chunked",
    body: `${body.length.toString(16)}\r\n${body}\r\n0\r\nx-amz-checksum-sha256:${checksum}\r\n\r\n`,
    headers: {
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": String(length),
      "x-amz-trailer": "x-amz-checksum-sha256",
      "content-encoding": "aws-chunked",
    },
  });
  const digest = (text: string): string => createHash("sha256").update(text).digest("base64");

  it("come out of the SDKs' chunked framing", async () => {
    expect((await callS3(sandbox, keys, chunked("some content", digest("some content")))).status).toBe(200);
    expect((await get("/demo/chunked")).body).toBe("some content");
  });

  const refusals: readonly { readonly name: string; readonly call: Call; readonly want: readonly [number, string] }[] =
    [
      { name: "a wrong checksum in the trailer", call: chunked("abc", digest("abd")), want: [400, "BadDigest"] },
      { name: "less than was announced", call: chunked("abc", digest("abc"), 4), want: [400, "IncompleteBody"] },
      {
        name: "framing that breaks off",
        call: { ...chunked("abc", digest("abc")), body: "ff\r\nabc" },
        want: [400, "IncompleteBody"],
      },
      {
        name: "chunks that are signed one by one",
        call: {
          ...chunked("a", digest("a")),
          headers: { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
        },
        want: [501, "NotImplemented"],
      },
      {
        name: "a literal hash that is another body's",
        call: { method: "PUT", path: "/demo/k", body: "abc", headers: { "x-amz-content-sha256": sha256("abd") } },
        want: [400, "XAmzContentSHA256Mismatch"],
      },
      {
        name: "a wrong MD5",
        call: { method: "PUT", path: "/demo/k", body: "abc", headers: { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" } },
        want: [400, "BadDigest"],
      },
      {
        name: "a copy, which is not a plain upload",
        call: { method: "PUT", path: "/demo/k", headers: { "x-amz-copy-source": "/demo/hello.txt" } },
        want: [501, "NotImplemented"],
      },
      {
        name: "a part of many",
        call: { method: "POST", path: "/demo/k", query: { uploads: "" } },
        want: [501, "NotImplemented"],
      },
      {
        name: "an access list",
        call: { method: "PUT", path: "/demo/hello.txt", query: { acl: "" }, body: "x" },
        want: [501, "NotImplemented"],
      },
    ];
  it.each(refusals)("refuses $name", async ({ call, want }) => {
    const answer = await callS3(sandbox, keys, call);
    expect([answer.status, codeOf(answer)]).toEqual(want);
  });
});

describe("listings", () => {
  beforeEach(async () => {
    for (const key of ["l/1", "l/2", "l/sub/3", "l/sub/4", "l/z"]) await put(`/demo/${key}`, "x");
  });

  it("fold what is below the delimiter", async () => {
    const { body } = await get("/demo", { "list-type": "2", prefix: "l/", delimiter: "/" });
    expect([...body.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1])).toEqual(["l/1", "l/2", "l/z"]);
    expect(body).toContain("<CommonPrefixes><Prefix>l/sub/</Prefix></CommonPrefixes>");
    expect(body).toContain("<KeyCount>4</KeyCount>");
  });

  it("come page by page", async () => {
    const pages: string[][] = [];
    let token: string | undefined;
    do {
      const { body } = await get("/demo", {
        "list-type": "2",
        prefix: "l/",
        "max-keys": "2",
        ...(token === undefined ? {} : { "continuation-token": token }),
      });
      pages.push([...body.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1] ?? ""));
      token = /<NextContinuationToken>(.*?)</.exec(body)?.[1];
    } while (token !== undefined);
    expect(pages).toEqual([["l/1", "l/2"], ["l/sub/3", "l/sub/4"], ["l/z"]]);
  });

  it("name the buckets", async () => {
    const { body } = await get("/");
    expect(body).toContain("<Name>demo</Name>");
    expect(body).toContain("<Name>other</Name>");
  });
});
