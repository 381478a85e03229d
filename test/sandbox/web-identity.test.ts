import { AssumeRoleWithWebIdentityCommand, type AssumeRoleWithWebIdentityCommandInput } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MintRequest, type Sandbox, trustGithub } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { DEMO_ROLE, refusalOf, stsClient } from "./clients.js";

const PROD_ROLE = "arn:aws:iam::111122223333:role/prod-only";
const ALLOW_ALL = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
const READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess";

let sandbox: Sandbox;
beforeAll(async () => {
  const subject = "repo:acme/site:ref:refs/heads/main";
  sandbox = await startSandbox({
    roles: {
      [DEMO_ROLE]: { policies: [ALLOW_ALL], trust: trustGithub("111122223333", subject), maxSessionSeconds: 7200 },
      [PROD_ROLE]: { policies: [ALLOW_ALL], trust: trustGithub("111122223333", "repo:acme/site:environment:prod") },
    },
    audiences: ["sts.amazonaws.com", "second.example"],
    managedPolicies: { [READ_ONLY]: ALLOW_ALL, [`arn:aws:iam::111122223333:policy/${"p".repeat(1900)}`]: ALLOW_ALL },
  });
});
afterAll(() => sandbox.close());

interface Case {
  readonly name: string;
  readonly token?: MintRequest;
  readonly input?: Partial<AssumeRoleWithWebIdentityCommandInput>;
  readonly want: readonly [code: string, status: number];
  readonly says?: RegExp;
}

async function assume(token: MintRequest = {}, input: Case["input"] = {}) {
  return stsClient(sandbox).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: DEMO_ROLE,
      RoleSessionName: "l-session",
      WebIdentityToken: await sandbox.mintToken(token),
      ...input,
    }),
  );
}

/** A policy that does not shrink when packed. */
function densePolicy(length: number): string {
  let seed = 7;
  const noise = Array.from({ length }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return String.fromCharCode(65 + (seed % 26) + (seed % 64 < 32 ? 32 : 0));
  }).join("");
  const resource = `arn:aws:s3:::demo/${noise}`;
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: resource }] });
}

describe("what AssumeRoleWithWebIdentity answers", () => {
  it("gives temporary keys and says what it saw", async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const answer = await assume({}, { DurationSeconds: 900 });
    expect(answer.AssumedRoleUser?.Arn).toBe("arn:aws:sts::111122223333:assumed-role/agentctl-demo/l-session");
    expect(answer.AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA[A-Z2-7]{17}:l-session$/);
    expect(answer.Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(answer.SubjectFromWebIdentityToken).toBe("repo:acme/site:ref:refs/heads/main");
    expect(answer.Audience).toBe("sts.amazonaws.com");
    expect(answer.Provider).toBe(`arn:aws:iam::111122223333:oidc-provider/${sandbox.issuer.slice(8)}`);
    expect(answer.PackedPolicySize).toBeUndefined();
    const lifeMs = (answer.Credentials?.Expiration?.getTime() ?? 0) - before;
    expect(lifeMs).toBeGreaterThanOrEqual(900_000);
    expect(lifeMs).toBeLessThan(905_000);
  });

  it("says how full the packed policies are", async () => {
    const answer = await assume({}, { Policy: JSON.stringify(ALLOW_ALL), PolicyArns: [{ arn: READ_ONLY }] });
    expect(answer.PackedPolicySize).toBeGreaterThan(0);
    expect(answer.PackedPolicySize).toBeLessThan(100);
  });

  it("takes a token for any audience that the provider lists", async () => {
    const error = await refusalOf(assume({ audience: "second.example" }));
    // The provider takes it; the role's own trust condition on `aud` does not.
    expect(error?.code).toBe("AccessDenied");
  });

  it("lasts an hour when nothing is said", async () => {
    const answer = await assume();
    const lifeSeconds = ((answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now()) / 1000;
    expect(Math.abs(lifeSeconds - 3600)).toBeLessThan(10);
  });

  it("tells the log what was asked, and no token", async () => {
    const token = await sandbox.mintToken();
    await assume({}, { WebIdentityToken: token, Policy: JSON.stringify(ALLOW_ALL) });
    const entry = sandbox.requests().at(-1);
    expect(entry).toMatchObject({ operation: "AssumeRoleWithWebIdentity", status: 200 });
    expect(entry?.parameters).toMatchObject({ RoleArn: DEMO_ROLE, Policy: JSON.stringify(ALLOW_ALL) });
    expect(JSON.stringify(sandbox.requests())).not.toContain(token);
  });
});

describe("what AssumeRoleWithWebIdentity refuses", () => {
  const longName = "x".repeat(65);
  const cases: readonly Case[] = [
    { name: "a token signed by a stranger", token: { signedBy: "stranger" }, want: ["InvalidIdentityToken", 400] },
    { name: "an expired token", token: { expiresInSeconds: -60 }, want: ["ExpiredTokenException", 400] },
    { name: "a token without an expiry", token: { claims: { exp: undefined } }, want: ["InvalidIdentityToken", 400] },
    {
      name: "a token that is not valid yet",
      token: { claims: { nbf: Math.floor(Date.now() / 1000) + 600 } },
      want: ["InvalidIdentityToken", 400],
    },
    {
      name: "a token of another issuer",
      token: { claims: { iss: "https://token.actions.githubusercontent.com" } },
      want: ["InvalidIdentityToken", 400],
      says: /No OpenIDConnect provider found in your account for https:\/\/token\.actions/,
    },
    {
      name: "a token for another audience",
      token: { audience: "https://github.com/acme" },
      want: ["InvalidIdentityToken", 400],
      says: /Incorrect token audience/,
    },
    { name: "a token without a subject", token: { claims: { sub: undefined } }, want: ["InvalidIdentityToken", 400] },
    { name: "what is not a token", input: { WebIdentityToken: "not-a-jwt" }, want: ["InvalidIdentityToken", 400] },
    { name: "a token too short", input: { WebIdentityToken: "abc" }, want: ["ValidationError", 400] },
    {
      name: "a subject that the role does not trust",
      token: { claims: { sub: "repo:acme/site:ref:refs/heads/feature" } },
      want: ["AccessDenied", 403],
      says: /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
    },
    { name: "a role that trusts another subject", input: { RoleArn: PROD_ROLE }, want: ["AccessDenied", 403] },
    {
      name: "a role that is not there, in the same words",
      input: { RoleArn: "arn:aws:iam::111122223333:role/none" },
      want: ["AccessDenied", 403],
      says: /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
    },
    {
      name: "less than 900 s",
      input: { DurationSeconds: 899 },
      want: ["ValidationError", 400],
      says: /Value '899' at 'durationSeconds' failed .* greater than or equal to 900/,
    },
    { name: "more than 12 h", input: { DurationSeconds: 43_201 }, want: ["ValidationError", 400] },
    {
      name: "more than the role allows",
      input: { DurationSeconds: 7201 },
      want: ["ValidationError", 400],
      says: /exceeds the MaxSessionDuration set for this role/,
    },
    { name: "a session name too long", input: { RoleSessionName: longName }, want: ["ValidationError", 400] },
    { name: "a session name with a space", input: { RoleSessionName: "a b" }, want: ["ValidationError", 400] },
    { name: "a policy that is not JSON", input: { Policy: "{" }, want: ["MalformedPolicyDocument", 400] },
    {
      name: "a policy with bad grammar",
      input: { Policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}' },
      want: ["MalformedPolicyDocument", 400],
    },
    { name: "a policy over 2 048 characters", input: { Policy: densePolicy(2000) }, want: ["ValidationError", 400] },
    { name: "a policy that packs badly", input: { Policy: densePolicy(1900) }, want: ["PackedPolicyTooLarge", 400] },
    {
      name: "policies over 2 048 characters together",
      input: {
        Policy: JSON.stringify(ALLOW_ALL).padEnd(200),
        PolicyArns: [{ arn: `arn:aws:iam::111122223333:policy/${"p".repeat(1900)}` }],
      },
      want: ["PackedPolicyTooLarge", 400],
    },
    {
      name: "eleven policy ARNs",
      input: { PolicyArns: Array.from({ length: 11 }, () => ({ arn: READ_ONLY })) },
      want: ["ValidationError", 400],
    },
    {
      name: "a policy ARN that is not there",
      input: { PolicyArns: [{ arn: "arn:aws:iam::aws:policy/None" }] },
      want: ["NoSuchEntity", 404],
    },
  ];
  it.each(cases)("refuses $name: $want.0", async ({ token, input, want, says }) => {
    const error = await refusalOf(assume(token, input));
    expect([error?.code, error?.status]).toEqual(want);
    if (says !== undefined) expect(error?.message).toMatch(says);
  });
});

describe("the clock of STS", () => {
  it("dates its answers and the keys by its own clock", async () => {
    const ahead = await startSandbox();
    try {
      ahead.clock.setOffset(3_600_000, "sts");
      const token = await ahead.mintToken({ expiresInSeconds: 7200 });
      const answer = await stsClient(ahead).send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: DEMO_ROLE,
          RoleSessionName: "ahead",
          WebIdentityToken: token,
          DurationSeconds: 900,
        }),
      );
      const aheadSeconds = ((answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now()) / 1000 - 900;
      expect(Math.abs(aheadSeconds - 3600)).toBeLessThan(10);
    } finally {
      await ahead.close();
    }
  });
});
