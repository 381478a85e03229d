import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { awsCloud } from "../../../src/clouds/aws/index.js";
import { serveAws } from "../../../src/clouds/aws/serve.js";
import type { EndpointQuestion, RefusalReason } from "../../../src/core/endpoint.js";
import type { Grant } from "../../../src/core/lease.js";
import { Secret } from "../../../src/core/secret.js";
import { ask, PLACE, question, revealed, runNode, SECRET, serveOverHttp } from "../exchange/serving.js";
import { awsSettings, ROLE } from "./settings.js";

const UNTIL = Date.parse("2026-11-22T12:05:00.900Z");
const endpoint = serveAws();

function grantUntil(usableUntil: number): Grant {
  const secret = (text: string) => ({ value: new Secret(text), usableUntil });
  return {
    cloud: "aws",
    channel: "endpoint",
    principal: "arn:aws:sts::111122223333:assumed-role/agentctl-deploy/agentctl-l-1",
    issuedAt: usableUntil - 300_000,
    usableUntil,
    expiresAt: usableUntil + 600_000,
    variables: {},
    secrets: {
      accessKeyId: secret("ASIACANARY"),
      secretAccessKey: secret("secret-canary"),
      sessionToken: secret("session-canary"),
    },
    facts: { role: ROLE },
  };
}

const authorized = { headers: { authorization: SECRET } };
const answerTo = (asked: Partial<EndpointQuestion>) => ask(endpoint, question(asked), grantUntil(UNTIL), PLACE);

describe("AWS's container credentials", () => {
  it("are the grant's keys, ending at the fence", () => {
    const { status, headers, body } = answerTo(authorized);
    expect({ status, headers }).toEqual({ status: 200, headers: { "content-type": "application/json" } });
    expect(JSON.parse(body)).toEqual({
      AccessKeyId: "ASIACANARY",
      SecretAccessKey: "secret-canary",
      Token: "session-canary",
      Expiration: "2026-11-22T12:05:00Z",
      AccountId: "111122223333",
      RoleArn: ROLE,
    });
  });

  it("are found by two variables, neither of which holds the token", () => {
    expect(endpoint.variables(PLACE)).toEqual({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: PLACE.url,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/private/l-1/aws-endpoint-token",
    });
  });

  it("have the token in a file, without a newline at its end", () => {
    const files = Object.entries(endpoint.files(PLACE, grantUntil(UNTIL)));
    expect(files.map(([name, value]) => [name, revealed(value)])).toEqual([["aws-endpoint-token", SECRET]]);
  });

  it("are what the room serves", async () => {
    const room = await awsCloud.serve(awsSettings(), { now: Date.now });
    expect(Object.keys(room.variables(PLACE))).toEqual(Object.keys(endpoint.variables(PLACE)));
  });

  it.each([
    { name: "no token", asked: {}, want: 401 },
    { name: "another token", asked: { headers: { authorization: `${SECRET}x` } }, want: 401 },
    { name: "the token as a bearer's", asked: { headers: { authorization: `Bearer ${SECRET}` } }, want: 401 },
    { name: "the token elsewhere", asked: { headers: { "x-agentctl-secret": SECRET } }, want: 401 },
    { name: "another path", asked: { ...authorized, path: "/role" }, want: 404 },
    { name: "a slash more", asked: { ...authorized, path: "/" }, want: 404 },
    { name: "another method", asked: { ...authorized, method: "POST" }, want: 400 },
  ])("are refused to $name", ({ asked, want }) => {
    const { status, body } = answerTo(asked);
    expect(status).toBe(want);
    expect(body).not.toContain("canary");
    expect(JSON.parse(body)).toEqual({ code: expect.any(String), message: expect.stringMatching(/^agentctl: /) });
  });

  it.each([
    { reason: "stranger", want: 403 },
    { reason: "lease-ended", want: 403 },
    { reason: "scope", want: 403 },
    // The SDKs that tell refusals from failures try this one again.
    { reason: "unavailable", want: 503 },
  ] as { reason: RefusalReason; want: number }[])("are refused by $want for $reason", ({ reason, want }) => {
    expect(endpoint.refuse(question(), { reason, message: "why" })).toMatchObject({
      status: want,
      body: expect.stringContaining('"message":"agentctl: why"'),
    });
  });
});

describe("the SDK for JavaScript", () => {
  const SCRIPT = `
    import { STSClient } from "@aws-sdk/client-sts";
    const client = new STSClient({ region: "us-east-1" });
    const { accessKeyId, sessionToken, expiration, accountId } = await client.config.credentials();
    console.log(JSON.stringify({ accessKeyId, sessionToken, expiration, accountId }));`;

  it("reads them by its own chain, with the tombstones around", async () => {
    const held = grantUntil(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
    const { variables, place, asked } = await serveOverHttp(endpoint, () => held);
    const empty = path.join(place.dir, "empty");
    writeFileSync(empty, "");
    const read = await runNode(SCRIPT, {
      AWS_CONFIG_FILE: empty,
      AWS_SHARED_CREDENTIALS_FILE: empty,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      ...variables,
    });
    expect(read).toMatchObject({
      accessKeyId: "ASIACANARY",
      sessionToken: "session-canary",
      expiration: new Date(held.usableUntil).toISOString(),
    });
    expect(asked).toEqual(["GET "]);
  });
});
