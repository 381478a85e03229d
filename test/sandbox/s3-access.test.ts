import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, trustGithub } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { assumeDemoRole, type Call, callS3, codeOf, type Keys, send } from "./clients.js";

const ALLOW_ALL = { Effect: "Allow", Action: "*", Resource: "*" };

let sandbox: Sandbox;
let keys: Keys;
beforeAll(async () => {
  sandbox = await startSandbox();
  keys = await assumeDemoRole(sandbox);
});
afterAll(() => sandbox.close());

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
