import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Grant } from "../../../src/core/lease.js";
import { Secret } from "../../../src/core/secret.js";
import { type FakeSts, grants, startFakeSts } from "./fake-sts.js";
import { against, failureOf, TOKEN } from "./issuing.js";
import { LEASE_ID, NEXT_ROLE, OTHER_ROLE, READ_ONE_BUCKET, ROLE } from "./settings.js";

const NOW = Date.parse("2026-11-22T12:00:00.700Z");
const HOUR_MS = 3_600_000;
const at = { runtime: { now: () => NOW } };
const granted = grants(() => NOW);

function revealed(grant: Grant): Record<string, string> {
  return Object.fromEntries(
    Object.entries(grant.variables).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );
}

describe("issuing with the OIDC token", () => {
  it("asks for exactly what was planned", async () => {
    const { sts, issue } = await against([granted], {
      ...at,
      settings: { sessionPolicy: READ_ONE_BUCKET, policyArns: ["arn:aws:iam::aws:policy/A"] },
    });
    await issue();
    const asked = Object.fromEntries(sts.asked[0]?.params ?? []);
    expect(asked).toMatchObject({
      Action: "AssumeRoleWithWebIdentity",
      RoleArn: ROLE,
      RoleSessionName: `agentctl-${LEASE_ID}`,
      WebIdentityToken: TOKEN,
      DurationSeconds: "900",
      "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/A",
    });
    const policy = JSON.parse(asked["Policy"] ?? "");
    expect(policy.Statement).toHaveLength(3);
    expect(policy.Statement[1].Condition.DateGreaterThan).toEqual({ "aws:CurrentTime": "2026-11-22T12:05:00Z" });
  });

  it("sends no signature, no ambient credential and nothing of the environment", async () => {
    const { sts, issue } = await against([granted], {
      ...at,
      env: { AWS_ACCESS_KEY_ID: "AKIAAMBIENT", AWS_SECRET_ACCESS_KEY: "x", AWS_SDK_UA_APP_ID: "spy" },
    });
    await issue();
    expect(sts.asked[0]?.headers["authorization"]).toBeUndefined();
    expect(sts.asked[0]?.headers["user-agent"]).toMatch(/^agentctl\/0\.0\.0-test/);
    expect(JSON.stringify(sts.asked[0]?.headers)).not.toMatch(/AKIAAMBIENT|spy/);
  });

  it("gives the child the keys, and the fence as their expiry", async () => {
    const { issue } = await against([granted], { ...at, settings: { region: "eu-central-1" } });
    const grant = await issue();
    expect(revealed(grant)).toEqual({
      AWS_ACCESS_KEY_ID: "ASIA25CANARY",
      AWS_SECRET_ACCESS_KEY: `secret-canary-of-${ROLE}`,
      AWS_SESSION_TOKEN: `session-canary-of-${ROLE}`,
      AWS_CREDENTIAL_EXPIRATION: "2026-11-22T12:05:00Z",
      AWS_REGION: "eu-central-1",
      AWS_DEFAULT_REGION: "eu-central-1",
    });
    expect(grant).toMatchObject({
      cloud: "aws",
      principal: `arn:aws:sts::111122223333:assumed-role/agentctl-deploy/agentctl-${LEASE_ID}`,
      issuedAt: NOW,
      usableUntil: Date.parse("2026-11-22T12:05:00Z"),
      expiresAt: NOW + 900_000,
      facts: {
        role: ROLE,
        assumedRoleId: `AROAEXAMPLE:agentctl-${LEASE_ID}`,
        packedPolicySizePercent: 7,
        durationSeconds: 900,
        derivedSessions: "denied",
        fenceForwarded: false,
      },
    });
    expect(grant.facts).not.toHaveProperty("clockSkewSeconds");
  });

  it("gives no region where the profile names none", async () => {
    const { issue } = await against([granted], at);
    expect((await issue()).variables).not.toHaveProperty("AWS_REGION");
  });

  it("for the endpoint carries the keys beside the variables, which only say where they are for", async () => {
    const { issue } = await against([granted], {
      ...at,
      channel: "endpoint",
      settings: { region: "eu-central-1" },
    });
    const { variables, secrets, channel, usableUntil } = await issue();
    expect(channel).toBe("endpoint");
    expect(variables).toEqual({ AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "eu-central-1" });
    expect(Object.keys(secrets).sort()).toEqual(["accessKeyId", "secretAccessKey", "sessionToken"]);
    expect(secrets["sessionToken"]?.value.reveal()).toBe(`session-canary-of-${ROLE}`);
    expect(secrets["sessionToken"]?.usableUntil).toBe(usableUntil);
    expect(JSON.stringify(secrets)).not.toContain("canary");
  });

  it("prints nothing of a key, however the grant is printed", async () => {
    const { issue } = await against([granted], at);
    const grant = await issue();
    expect(JSON.stringify(grant) + inspect(grant, { depth: 9, showHidden: true })).not.toMatch(/CANARY|canary/);
  });
});

describe("issuing through a chain", () => {
  const chain = [{ roleArn: OTHER_ROLE }, { roleArn: NEXT_ROLE, externalId: "ext-1" }];

  it("lets each hop but the last do nothing but assume the next, and narrows the last", async () => {
    const { sts, issue } = await against([granted], {
      ...at,
      ttlSeconds: 1800,
      settings: { chain, sessionPolicy: READ_ONE_BUCKET },
    });
    const grant = await issue();
    const asked = sts.asked.map(({ params }) => Object.fromEntries(params));
    expect(asked.map((one) => [one["Action"], one["RoleArn"], one["DurationSeconds"], one["ExternalId"]])).toEqual([
      ["AssumeRoleWithWebIdentity", ROLE, "900", undefined],
      ["AssumeRole", OTHER_ROLE, "900", undefined],
      ["AssumeRole", NEXT_ROLE, "1800", "ext-1"],
    ]);
    const allows = asked.map((one) => JSON.parse(one["Policy"] ?? "").Statement[0].Resource);
    expect(allows).toEqual([OTHER_ROLE, NEXT_ROLE, READ_ONE_BUCKET.document.Statement.Resource]);
    expect(grant.principal).toContain(":assumed-role/target/");
    expect(grant.facts["passedThrough"]).toEqual([
      expect.stringContaining(":assumed-role/agentctl-deploy/"),
      expect.stringContaining(":assumed-role/other/"),
    ]);
    expect(revealed(grant)["AWS_SESSION_TOKEN"]).toBe(`session-canary-of-${NEXT_ROLE}`);
  });

  it("signs each further hop with the session of the one before", async () => {
    const { sts, issue } = await against([granted], { ...at, settings: { chain, region: "eu-central-1" } });
    await issue();
    const [, second, third] = sts.asked;
    expect(second?.headers["x-amz-security-token"]).toBe(`session-canary-of-${ROLE}`);
    expect(third?.headers["x-amz-security-token"]).toBe(`session-canary-of-${OTHER_ROLE}`);
    expect(second?.headers["authorization"]).toMatch(/Credential=ASIA25CANARY\/\d{8}\/eu-central-1\/sts\/aws4_request/);
    expect(second?.params.get("WebIdentityToken")).toBeNull();
  });
});

describe("when STS's clock is not this machine's", () => {
  const skewed = (aheadMs: number) => grants(() => NOW, aheadMs);
  const fences = (asked: readonly { params: URLSearchParams }[]) =>
    asked.map(({ params }) => /"aws:CurrentTime":"([^"]+)"/.exec(params.get("Policy") ?? "")?.[1]);

  it.each([
    { name: "20s ahead", aheadMs: 20_000, want: ["2026-11-22T12:05:00Z"] },
    { name: "30s behind", aheadMs: -30_000, want: ["2026-11-22T12:05:00Z"] },
    { name: "31s ahead", aheadMs: 31_000, want: ["2026-11-22T12:05:00Z", "2026-11-22T12:05:31Z"] },
    { name: "an hour ahead", aheadMs: HOUR_MS, want: ["2026-11-22T12:05:00Z", "2026-11-22T13:05:00Z"] },
    { name: "an hour behind", aheadMs: -HOUR_MS, want: ["2026-11-22T12:05:00Z", "2026-11-22T11:05:00Z"] },
  ])("$name, the fences asked for are right by STS's clock", async ({ aheadMs, want }) => {
    const { sts, issue } = await against([skewed(aheadMs)], at);
    await issue();
    expect(fences(sts.asked)).toEqual(want);
  });

  it("keeps the grant's times by this machine's clock, and says so", async () => {
    const { issue } = await against([skewed(HOUR_MS)], at);
    const grant = await issue();
    expect(grant.usableUntil).toBe(Date.parse("2026-11-22T12:05:00Z"));
    expect(grant.expiresAt).toBe(NOW + 900_000);
    expect(grant.facts).toMatchObject({
      clockSkewSeconds: 3600,
      notice: "this machine's clock is 3600s behind AWS's; the fence follows AWS's",
    });
  });

  it("corrects the first hop only, and signs and fences the next by the corrected clock", async () => {
    const { sts, issue } = await against([skewed(HOUR_MS)], { ...at, settings: { chain: [{ roleArn: NEXT_ROLE }] } });
    await issue();
    expect(sts.asked.map(({ params }) => params.get("RoleArn"))).toEqual([ROLE, ROLE, NEXT_ROLE]);
    expect(fences(sts.asked)[2]).toBe("2026-11-22T13:05:00Z");
    const signedAt = String(sts.asked[2]?.headers["x-amz-date"]);
    const signed = Date.parse(signedAt.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
    expect(Math.abs(signed - (Date.now() + HOUR_MS))).toBeLessThan(120_000);
  });

  it("does not trust a clock that moves again", async () => {
    const { sts, issue } = await against([skewed(HOUR_MS), skewed(-HOUR_MS)], at);
    expect(await failureOf(issue())).toMatchObject({ code: "BAD_ANSWER", exitCode: 76 });
    expect(sts.asked).toHaveLength(2);
  });

  it("takes an expiry before the fence as the end", async () => {
    const { issue } = await against([skewed(-20_000)], { ...at, ttlSeconds: 900 });
    const grant = await issue();
    expect(grant.expiresAt).toBe(NOW + 880_000);
    expect(grant.usableUntil).toBe(grant.expiresAt);
  });
});

describe("the SDK", () => {
  const planted = { AWS_REGION: "planted-1", AWS_CONFIG_FILE: "/nonexistent/x", AWS_PROFILE: "planted" };
  const names = [...Object.keys(planted), "AWS_ENDPOINT_URL_STS"];
  const before = new Map(names.map((name) => [name, process.env[name]]));
  let decoy: FakeSts;

  beforeEach(async () => {
    decoy = await startFakeSts([granted]);
    Object.assign(process.env, planted, { AWS_ENDPOINT_URL_STS: decoy.url });
  });
  afterEach(async () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await decoy.close();
  });

  it("reads no region of the process's own variables", async () => {
    const { sts, issue } = await against([granted], { ...at, settings: { chain: [{ roleArn: NEXT_ROLE }] } });
    await issue();
    expect(sts.asked[1]?.headers["authorization"]).toContain("/us-east-1/sts/");
    expect(decoy.asked).toHaveLength(0);
  });

  it.each([
    { name: "the region's own", env: {}, want: "sts.us-east-1.amazonaws.com" },
    { name: "FIPS", env: { AWS_USE_FIPS_ENDPOINT: "true" }, want: "sts-fips.us-east-1.amazonaws.com" },
    { name: "dual-stack", env: { AWS_USE_DUALSTACK_ENDPOINT: "True" }, want: "sts.us-east-1.api.aws" },
  ])("takes $name endpoint, and none of the process's own variables", async ({ env, want }) => {
    // A test stays on loopback, so the attempt to connect is refused, and the refusal names the host.
    const { issue } = await against([], { ...at, env: { AWS_ENDPOINT_URL_STS: "", ...env } });
    expect((await failureOf(issue())).message).toContain(`tried to reach ${want}:`);
    expect(decoy.asked).toHaveLength(0);
  });
});
