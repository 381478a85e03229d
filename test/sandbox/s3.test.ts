import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox, trustGithub } from "../../src/sandbox/index.js";
import { type Answer, assumeDemoRole, type Call, callS3, codeOf, type Keys, send } from "./clients.js";

const ALLOW_ALL = { Effect: "Allow", Action: "*", Resource: "*" };
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

describe("who may do what: the role's policies and the session's", () => {
  const says = (action: string, resource: string, why: string): string =>
    `User: arn:aws:sts::111122223333:assumed-role/agentctl-demo/test is not authorized to perform: ${action} on resource: &#34;${resource}&#34; ${why}`;
  const readOnly = { Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::demo/*" };
  const byPrefix = {
    Effect: "Allow",
    Action: "s3:ListBucket",
    Resource: "arn:aws:s3:::demo",
    Condition: { StringLike: { "s3:prefix": "reports/*" } },
  };
  const fence = (instant: string) => ({
    Effect: "Deny",
    Action: "*",
    Resource: "*",
    Condition: { DateGreaterThan: { "aws:CurrentTime": instant }, Bool: { "aws:ViaAWSService": "false" } },
  });
  const cases: readonly {
    readonly name: string;
    readonly session?: readonly object[];
    readonly arns?: readonly string[];
    readonly call: Call;
    readonly want: readonly [number, string?];
    readonly message?: string;
  }[] = [
    { name: "what the role allows", call: { path: "/demo/hello.txt" }, want: [200] },
    {
      name: "what the role does not allow",
      call: { path: "/other/private.txt" },
      want: [403, "AccessDenied"],
      message: says(
        "s3:GetObject",
        "arn:aws:s3:::other/private.txt",
        "because no identity-based policy allows the s3:GetObject action",
      ),
    },
    {
      name: "what the session would allow and the role does not",
      session: [ALLOW_ALL],
      call: { path: "/other/private.txt" },
      want: [403, "AccessDenied"],
    },
    { name: "what both allow", session: [readOnly], call: { path: "/demo/hello.txt" }, want: [200] },
    {
      name: "what the session does not allow",
      session: [readOnly],
      call: { method: "PUT", path: "/demo/new", body: "x" },
      want: [403, "AccessDenied"],
      message: says(
        "s3:PutObject",
        "arn:aws:s3:::demo/new",
        "because no session policy allows the s3:PutObject action",
      ),
    },
    {
      name: "what a session policy by ARN does not allow",
      arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
      call: { method: "PUT", path: "/demo/new", body: "x" },
      want: [403, "AccessDenied"],
    },
    {
      name: "what a session policy by ARN allows beside an inline one of denies only",
      arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
      session: [fence("2099-01-01T00:00:00Z")],
      call: { path: "/demo/hello.txt" },
      want: [200],
    },
    {
      name: "a session policy of denies only, which grants nothing",
      session: [fence("2099-01-01T00:00:00Z")],
      call: { path: "/demo/hello.txt" },
      want: [403, "AccessDenied"],
    },
    {
      name: "before the fence",
      session: [ALLOW_ALL, fence("2099-01-01T00:00:00Z")],
      call: { path: "/demo/hello.txt" },
      want: [200],
    },
    {
      name: "after the fence",
      session: [ALLOW_ALL, fence("2020-01-01T00:00:00Z")],
      call: { path: "/demo/hello.txt" },
      want: [403, "AccessDenied"],
      message: says("s3:GetObject", "arn:aws:s3:::demo/hello.txt", "with an explicit deny in a session policy"),
    },
    {
      name: "a listing under a prefix that is allowed",
      session: [byPrefix],
      call: { path: "/demo", query: { "list-type": "2", prefix: "reports/2026" } },
      want: [200],
    },
    {
      name: "a listing of the whole where a prefix is allowed",
      session: [byPrefix],
      call: { path: "/demo", query: { "list-type": "2" } },
      want: [403, "AccessDenied"],
    },
    { name: "a missing key for one who may list", call: { path: "/demo/missing" }, want: [404, "NoSuchKey"] },
    {
      name: "a missing key for one who may not",
      session: [readOnly],
      call: { path: "/demo/missing" },
      want: [403, "AccessDenied"],
    },
    { name: "a bucket that is not there", call: { path: "/missing/key" }, want: [404, "NoSuchBucket"] },
  ];
  it.each(cases)("$name: $want", async ({ session, arns, call, want, message }) => {
    const narrowed = await assumeDemoRole(sandbox, {
      ...(session === undefined ? {} : { Policy: JSON.stringify({ Version: "2012-10-17", Statement: session }) }),
      ...(arns === undefined ? {} : { PolicyArns: arns.map((arn) => ({ arn })) }),
    });
    const answer = await callS3(sandbox, narrowed, call);
    expect([answer.status, codeOf(answer)]).toEqual([want[0], want[1]]);
    if (message !== undefined) expect(answer.body).toContain(message);
  });

  it("lets another account's role in only by a bucket policy, which these buckets do not have", async () => {
    const role = "arn:aws:iam::999988887777:role/stranger";
    const policies = [{ Version: "2012-10-17", Statement: [ALLOW_ALL] }];
    const own = await startSandbox({ roles: { [role]: { policies, trust: trustGithub("111122223333", "*") } } });
    try {
      const stranger = await assumeDemoRole(own, { RoleArn: role });
      const answer = await callS3(own, stranger, { path: "/demo/hello.txt" });
      expect(answer.body).toContain("because no resource-based policy allows the s3:GetObject action");
    } finally {
      await own.close();
    }
  });

  it("sees the fence bite the same keys as time goes by", async () => {
    const own = await startSandbox();
    try {
      const deadline = `${new Date(Date.now() + 60_000).toISOString().slice(0, 19)}Z`;
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [ALLOW_ALL, fence(deadline)] });
      const fenced = await assumeDemoRole(own, { Policy });
      expect((await callS3(own, fenced, { path: "/demo/hello.txt" })).status).toBe(200);
      own.clock.advance(62_000);
      expect(codeOf(await callS3(own, fenced, { path: "/demo/hello.txt" }))).toBe("AccessDenied");
    } finally {
      await own.close();
    }
  });
});

describe("signatures", () => {
  const HOUR = 3_600_000;
  const cases: readonly {
    readonly name: string;
    readonly change?: (keys: Keys) => Keys;
    readonly call?: Partial<Call>;
    readonly shiftMs?: number;
    readonly want: readonly [number, string];
  }[] = [
    {
      name: "a wrong secret",
      change: (k) => ({ ...k, secretAccessKey: "wrong" }),
      want: [403, "SignatureDoesNotMatch"],
    },
    {
      name: "an unknown key",
      change: (k) => ({ ...k, accessKeyId: "ASIAUNKNOWN" }),
      want: [403, "InvalidAccessKeyId"],
    },
    { name: "a wrong token", change: (k) => ({ ...k, sessionToken: "wrong" }), want: [400, "InvalidToken"] },
    {
      name: "a header of AWS's that is not signed",
      call: { unsigned: { "x-amz-meta-smuggled": "1" } },
      want: [403, "SignatureDoesNotMatch"],
    },
    { name: "an hour behind", shiftMs: -HOUR, want: [403, "RequestTimeTooSkewed"] },
    { name: "an hour ahead", shiftMs: HOUR, want: [403, "RequestTimeTooSkewed"] },
  ];
  it.each(cases)("refuses $name", async ({ change, call, shiftMs, want }) => {
    const at = new Date(Date.now() + (shiftMs ?? 0));
    const answer = await callS3(
      sandbox,
      change === undefined ? keys : change(keys),
      { path: "/demo/hello.txt", ...call },
      at,
    );
    expect([answer.status, codeOf(answer)]).toEqual(want);
  });

  it("refuses keys past their own expiry", async () => {
    const own = await startSandbox();
    try {
      const short = await assumeDemoRole(own, { DurationSeconds: 900 });
      own.clock.advance(901_000);
      const answer = await callS3(own, short, { path: "/demo/hello.txt" });
      expect([answer.status, codeOf(answer)]).toEqual([400, "ExpiredToken"]);
    } finally {
      await own.close();
    }
  });

  it.each([
    { name: "no signature", headers: {}, want: [403, "AccessDenied"] },
    { name: "a bearer", headers: { authorization: "Bearer x" }, want: [400, "InvalidRequest"] },
    {
      name: "half a signature",
      headers: { authorization: "AWS4-HMAC-SHA256 x" },
      want: [400, "AuthorizationHeaderMalformed"],
    },
  ])("refuses $name", async ({ headers, want }) => {
    const url = new URL("/demo/hello.txt", sandbox.env["AWS_ENDPOINT_URL_S3"]);
    const answer = await send(sandbox, url, { headers });
    expect([answer.status, codeOf(answer)]).toEqual(want);
  });
});
