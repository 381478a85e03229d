import { existsSync, statSync } from "node:fs";
import { request } from "node:http";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Fault as AnyFault, Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { assumeDemoRole, callS3, codeOf, type Keys, send, stsClient } from "./clients.js";

/** A fault of one of AWS's services or of the issuer; the other clouds' words are tested with the clouds. */
type Fault = AnyFault & { readonly service: "sts" | "s3" | "oidc" };

let sandbox: Sandbox;
let keys: Keys;
beforeAll(async () => {
  sandbox = await startSandbox();
  keys = await assumeDemoRole(sandbox);
});
afterEach(() => {
  sandbox.faults.clear();
  sandbox.clock.setOffset(0);
});
afterAll(() => sandbox.close());

/** The status and code of one call to a service; `cut` when the connection broke off. */
async function ask(service: Fault["service"]): Promise<string> {
  const call = {
    sts: () =>
      send(sandbox, new URL(sandbox.env["AWS_ENDPOINT_URL_STS"] ?? ""), {
        method: "POST",
        body: "Action=GetCallerIdentity&Version=2011-06-15",
      }),
    s3: () => callS3(sandbox, keys, { path: "/demo/hello.txt" }),
    oidc: () => send(sandbox, new URL("/.well-known/jwks", sandbox.issuer)),
  }[service];
  try {
    const answer = await call();
    return [answer.status, codeOf(answer), answer.headers["retry-after"]].filter(Boolean).join(" ");
  } catch {
    return "cut";
  }
}

describe("faults on demand", () => {
  const healthy = { sts: "403 MissingAuthenticationToken", s3: "200", oidc: "200" };
  const cases: readonly { readonly fault: Fault; readonly want: string }[] = [
    { fault: { service: "sts", kind: "throttle", retryAfterSeconds: 3 }, want: "400 Throttling 3" },
    { fault: { service: "s3", kind: "throttle" }, want: "503 SlowDown" },
    { fault: { service: "oidc", kind: "throttle", retryAfterSeconds: 1 }, want: "429 1" },
    { fault: { service: "sts", kind: "error" }, want: "500 InternalFailure" },
    {
      fault: { service: "sts", kind: "error", status: 400, code: "IDPCommunicationError" },
      want: "400 IDPCommunicationError",
    },
    { fault: { service: "s3", kind: "error", status: 503 }, want: "503 InternalError" },
    { fault: { service: "sts", kind: "deny" }, want: "403 AccessDenied" },
    { fault: { service: "sts", kind: "garbage" }, want: "200" },
    { fault: { service: "oidc", kind: "cut" }, want: "cut" },
    { fault: { service: "s3", kind: "cut" }, want: "cut" },
    { fault: { service: "sts", kind: "error", operation: "AssumeRole" }, want: healthy.sts },
  ];
  it.each(cases)("$fault.service $fault.kind: $want", async ({ fault, want }) => {
    sandbox.faults.add({ ...fault, times: 1 });
    expect(await ask(fault.service)).toBe(want);
    sandbox.faults.clear();
    expect(await ask(fault.service)).toBe(healthy[fault.service]);
  });

  it("strike as often as they should, after as many as they should let pass", async () => {
    sandbox.faults.add({ service: "oidc", kind: "error", after: 1, times: 2 });
    const answers: string[] = [];
    for (let n = 0; n < 4; n += 1) answers.push(await ask("oidc"));
    expect(answers).toEqual(["200", "500", "500", "200"]);
  });

  it("make an answer wait", async () => {
    sandbox.faults.add({ service: "oidc", kind: "latency", latencyMs: 150, times: 1 });
    const started = performance.now();
    expect(await ask("oidc")).toBe("200");
    expect(performance.now() - started).toBeGreaterThanOrEqual(145);
  });

  it("are overcome by an SDK that tries again", async () => {
    sandbox.faults.add({ service: "sts", kind: "error", times: 1 });
    const client = stsClient(sandbox, keys, { maxAttempts: 2 });
    await expect(client.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({ Account: "111122223333" });
    expect(
      sandbox
        .requests()
        .slice(-2)
        .map((entry) => entry.status),
    ).toEqual([500, 200]);
  });
});

describe("the remote control", () => {
  const control = (
    method: string,
    resource: string,
    body?: string,
    headers: Record<string, string> = {},
    base = sandbox.env["AGENTCTL_SANDBOX_CONTROL_URL"] ?? "",
  ): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${base}/${resource}`, { method, headers, agent: false }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body: text }));
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });

  it("sets faults and clears them", async () => {
    expect((await control("POST", "faults", '{"service":"oidc","kind":"deny"}')).status).toBe(204);
    expect(await ask("oidc")).toBe("403");
    expect((await control("DELETE", "faults")).status).toBe(204);
    expect(await ask("oidc")).toBe("200");
  });

  it("sets clocks apart", async () => {
    await control("POST", "clock", '{"offsetMs":-3600000,"service":"sts"}');
    expect(sandbox.clock.offsets()).toMatchObject({ oidc: 0, sts: -3_600_000, s3: 0, entra: 0 });
  });

  it("delays what is changed of roles' policies, and tells those policies", async () => {
    expect((await control("POST", "iam", '{"propagationMs":5000}')).status).toBe(204);
    await control("POST", "iam", '{"propagationMs":9000,"service":"s3"}');
    expect(sandbox.iam.propagation()).toEqual({ sts: 5000, s3: 9000, iam: 5000 });
    const { body } = await control("GET", "iam");
    const rolePolicies = Object.fromEntries(Object.keys(sandbox.world.roles).map((roleArn) => [roleArn, {}]));
    expect(JSON.parse(body)).toEqual({ propagationMs: { sts: 5000, s3: 9000, iam: 5000 }, rolePolicies });
    await control("POST", "iam", '{"propagationMs":0}');
    expect((await control("POST", "iam", '{"propagationMs":-1}')).status).toBe(400);
    expect((await control("POST", "iam", '{"propagationMs":1,"service":"gcs"}')).status).toBe(400);
  });

  it("tells the requests, without secrets", async () => {
    await ask("s3");
    const { body } = await control("GET", "requests");
    expect(JSON.parse(body)).toEqual(sandbox.requests());
    expect(JSON.parse(body).at(-1)).toMatchObject({
      operation: "GetObject",
      parameters: { Bucket: "demo", Key: "hello.txt" },
    });
    for (const secret of [...Object.values(keys), sandbox.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]]) {
      if (secret !== keys.accessKeyId) expect(body).not.toContain(secret);
    }
  });

  it.each([
    { name: "a fault that it does not know", body: '{"service":"sts","kind":"fire"}', want: 400 },
    { name: "a key that it does not know", body: '{"service":"sts","kind":"cut","often":true}', want: 400 },
    { name: "what is not JSON", body: "kind=cut", want: 400 },
    { name: "a page in a browser", body: "{}", headers: { origin: "https://evil.example" }, want: 404 },
    { name: "a name rebound to this address", body: "{}", headers: { host: "evil.example" }, want: 404 },
  ])("refuses $name", async ({ body, headers, want }) => {
    expect((await control("POST", "faults", body, headers)).status).toBe(want);
  });

  it("is found by nobody who does not know its path", async () => {
    const { origin } = new URL(sandbox.env["AGENTCTL_SANDBOX_CONTROL_URL"] ?? "");
    expect((await control("GET", "requests", undefined, {}, `${origin}/guess`)).status).toBe(404);
  });
});

describe("what it leaves on the machine", () => {
  it("is a private directory while it runs, and nothing afterwards", async () => {
    const own = await startSandbox();
    expect(statSync(own.dir).mode & 0o777).toBe(0o700);
    expect(statSync(own.caFile).mode & 0o777).toBe(0o600);
    await own.close();
    expect(existsSync(own.dir)).toBe(false);
    await expect(send({ ...own, caFile: sandbox.caFile }, new URL("/.well-known/jwks", own.issuer))).rejects.toThrow();
  });

  it("points every AWS service at itself", () => {
    const names = [
      "AWS_ENDPOINT_URL",
      "AWS_ENDPOINT_URL_STS",
      "AWS_ENDPOINT_URL_IAM",
      "AWS_ENDPOINT_URL_S3",
      "ACTIONS_ID_TOKEN_REQUEST_URL",
    ];
    for (const name of names) expect(sandbox.env[name]).toMatch(/^https:\/\/127\.0\.0\.1:\d+/);
    expect(sandbox.env["NO_PROXY"]?.split(",")).toContain("127.0.0.1");
  });
});
