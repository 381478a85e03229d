import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  type STSClientConfig,
} from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RoleDefinition, type Sandbox, trustGithub } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { assumeDemoRole, DEMO_ROLE, type Keys, keysOf, refusalOf, send, stsClient } from "./clients.js";

const ACCOUNT = "111122223333";
const target = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const policy = (...statements: object[]) => ({ Version: "2012-10-17", Statement: statements });
const allow = (action: string | string[], resource = "*") => ({ Effect: "Allow", Action: action, Resource: resource });
const deny = (action: string, condition?: object) => ({
  Effect: "Deny",
  Action: action,
  Resource: "*",
  ...(condition === undefined ? {} : { Condition: condition }),
});

function trusting(principal: string, condition?: object): RoleDefinition {
  const statement = { Effect: "Allow", Principal: { AWS: principal }, Action: "sts:AssumeRole" };
  return { policies: [], trust: policy(condition === undefined ? statement : { ...statement, Condition: condition }) };
}

let sandbox: Sandbox;
beforeAll(async () => {
  const trust = trustGithub(ACCOUNT, "repo:acme/*");
  sandbox = await startSandbox({
    roles: {
      [DEMO_ROLE]: {
        policies: [
          policy(allow("sts:AssumeRole", target("by-*"))),
          policy({ Effect: "Deny", Action: "sts:AssumeRole", Resource: target("denied-to-demo") }),
        ],
        trust,
      },
      [target("denied-to-demo")]: trusting(DEMO_ROLE),
      [target("by-long-sessions")]: { ...trusting(DEMO_ROLE), maxSessionSeconds: 43_200 },
      [target("by-account")]: trusting(`arn:aws:iam::${ACCOUNT}:root`),
      [target("by-role")]: trusting(DEMO_ROLE),
      [target("by-external-id")]: trusting(DEMO_ROLE, { StringEquals: { "sts:ExternalId": "agreed" } }),
      [target("by-nobody")]: trusting(target("somebody-else")),
      [target("named-directly")]: trusting(DEMO_ROLE),
      [target("unnamed-account")]: trusting(`arn:aws:iam::${ACCOUNT}:root`),
      "arn:aws:iam::999988887777:role/by-other-account": trusting(DEMO_ROLE),
    },
  });
});
afterAll(() => sandbox.close());

function assumeRole(keys: Keys, roleArn: string, input: Partial<AssumeRoleCommandInput> = {}) {
  const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "next", ...input });
  return stsClient(sandbox, keys).send(command);
}

describe("AssumeRole from a role session", () => {
  const cases = [
    { name: "trust in the account and an allow of one's own", role: target("by-account"), want: undefined },
    {
      name: "trust in the account without an allow of one's own",
      role: target("unnamed-account"),
      want: "AccessDenied",
    },
    { name: "trust in the role by name, within one account", role: target("named-directly"), want: undefined },
    { name: "trust in somebody else", role: target("by-nobody"), want: "AccessDenied" },
    { name: "trust on an external id that is not given", role: target("by-external-id"), want: "AccessDenied" },
    {
      name: "trust on an external id that is given",
      role: target("by-external-id"),
      input: { ExternalId: "agreed" },
      want: undefined,
    },
    { name: "a role that is not there", role: target("by-magic"), want: "AccessDenied" },
    {
      name: "another account's trust and an allow",
      role: "arn:aws:iam::999988887777:role/by-other-account",
      want: "AccessDenied",
    },
    { name: "an hour", role: target("by-role"), input: { DurationSeconds: 3600 }, want: undefined },
    {
      name: "more than an hour, whatever the role allows",
      role: target("by-long-sessions"),
      input: { DurationSeconds: 3601 },
      want: "ValidationError",
      says: /exceeds the 1 hour session limit for roles assumed by role chaining/,
    },
    {
      name: "trust in the role by name against a deny of one's own",
      role: target("denied-to-demo"),
      want: "AccessDenied",
      says: /with an explicit deny in an identity-based policy$/,
    },
    {
      name: "a session policy without an allow",
      role: target("by-role"),
      session: policy(allow("s3:*")),
      want: "AccessDenied",
      says: /because no session policy allows the sts:AssumeRole action$/,
    },
    {
      name: "trust in the role by name, which a session policy narrows as well",
      role: target("named-directly"),
      session: policy(allow("s3:*")),
      want: "AccessDenied",
    },
    {
      name: "a deny on derived sessions",
      role: target("by-role"),
      session: policy(allow("*"), deny("sts:Assume*")),
      want: "AccessDenied",
      says: /is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role\/by-role with an explicit deny in a session policy$/,
    },
    {
      name: "a fence that has passed",
      role: target("by-role"),
      session: policy(allow("*"), deny("*", { DateGreaterThan: { "aws:CurrentTime": "2020-01-01T00:00:00Z" } })),
      want: "AccessDenied",
      says: /with an explicit deny in a session policy$/,
    },
    {
      name: "a fence ahead",
      role: target("by-role"),
      session: policy(allow("*"), deny("*", { DateGreaterThan: { "aws:CurrentTime": "2099-01-01T00:00:00Z" } })),
      want: undefined,
    },
  ];
  it.each(cases)("$name: $want", async ({ role, input, session, want, says }) => {
    const keys = await assumeDemoRole(sandbox, session === undefined ? {} : { Policy: JSON.stringify(session) });
    const refusal = await refusalOf(assumeRole(keys, role, input));
    expect(refusal?.code).toBe(want);
    if (says !== undefined) expect(refusal?.message).toMatch(says);
  });

  it("gives keys of the next role, which are not narrowed by the first one's session policy", async () => {
    const keys = await assumeDemoRole(sandbox, { Policy: JSON.stringify(policy(allow("sts:AssumeRole"))) });
    const next = keysOf((await assumeRole(keys, target("by-role"))).Credentials);
    const identity = await stsClient(sandbox, next).send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/by-role/next`);
    expect(identity.UserId).toMatch(/^AROA[A-Z2-7]{17}:next$/);
  });
});

describe("GetCallerIdentity", () => {
  it("is never denied by a policy", async () => {
    const keys = await assumeDemoRole(sandbox, { Policy: JSON.stringify(policy(deny("*"))) });
    const identity = await stsClient(sandbox, keys).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/agentctl-demo/test`,
    });
  });
});

describe("signatures", () => {
  const MINUTE = 60_000;
  const cases: readonly {
    readonly name: string;
    readonly change?: (keys: Keys) => Keys;
    readonly config?: STSClientConfig;
    readonly aheadMs?: number;
    readonly want: string | undefined;
    readonly says?: RegExp;
  }[] = [
    { name: "its own keys", want: undefined },
    {
      name: "a wrong secret",
      change: (keys) => ({ ...keys, secretAccessKey: "wrong" }),
      want: "SignatureDoesNotMatch",
    },
    {
      name: "a wrong session token",
      change: (keys) => ({ ...keys, sessionToken: "wrong" }),
      want: "InvalidClientTokenId",
    },
    { name: "no session token", change: ({ sessionToken: _, ...keys }) => keys as Keys, want: "InvalidClientTokenId" },
    {
      name: "an unknown key",
      change: (keys) => ({ ...keys, accessKeyId: "ASIAUNKNOWN" }),
      want: "InvalidClientTokenId",
    },
    { name: "14 minutes behind", aheadMs: 14 * MINUTE, want: undefined },
    { name: "16 minutes behind", aheadMs: 16 * MINUTE, want: "SignatureDoesNotMatch" },
    { name: "14 minutes ahead", aheadMs: -14 * MINUTE, want: undefined },
    { name: "16 minutes ahead", aheadMs: -16 * MINUTE, want: "SignatureDoesNotMatch" },
    { name: "past the keys' own expiry", aheadMs: 3601_000, want: "ExpiredToken" },
    {
      name: "another service's scope",
      config: { signingRegion: "us-east-1", signingName: "s3" } as STSClientConfig,
      want: "SignatureDoesNotMatch",
      says: /scoped to correct service: 'sts'/,
    },
  ];
  it.each(cases)("$name: $want", async ({ change, config, aheadMs, want, says }) => {
    const keys = await assumeDemoRole(sandbox);
    try {
      sandbox.clock.setOffset(aheadMs ?? 0, "sts");
      const client = stsClient(sandbox, change === undefined ? keys : change(keys), config);
      const refusal = await refusalOf(client.send(new GetCallerIdentityCommand({})));
      expect(refusal?.code).toBe(want);
      if (says !== undefined) expect(refusal?.message).toMatch(says);
    } finally {
      sandbox.clock.setOffset(0);
    }
  });

  const malformed = [
    {
      name: "no signature",
      headers: {},
      body: "Action=GetCallerIdentity&Version=2011-06-15",
      want: [403, "MissingAuthenticationToken"],
    },
    {
      name: "half a signature",
      headers: { authorization: "AWS4-HMAC-SHA256 Credential=x" },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
      want: [400, "IncompleteSignature"],
    },
    { name: "no operation", headers: {}, body: "Version=2011-06-15", want: [400, "MissingAction"] },
    {
      name: "an operation of another time",
      headers: {},
      body: "Action=GetCallerIdentity&Version=2010-01-01",
      want: [400, "InvalidAction"],
    },
    {
      name: "an operation that is not there",
      headers: {},
      body: "Action=GetFederationToken&Version=2011-06-15",
      want: [400, "InvalidAction"],
    },
  ];
  it.each(malformed)("$name", async ({ headers, body, want }) => {
    const answer = await send(sandbox, new URL(sandbox.env["AWS_ENDPOINT_URL_STS"] ?? ""), {
      method: "POST",
      headers,
      body,
    });
    expect([answer.status, /<Code>(\w+)</.exec(answer.body)?.[1]]).toEqual(want);
    expect(answer.body).toMatch(
      /^<ErrorResponse xmlns="https:\/\/sts.amazonaws.com\/doc\/2011-06-15\/">\s*<Error>\s*<Type>Sender</,
    );
  });
});
