import { describe, expect, it } from "vitest";
import { awsCloud } from "../../../src/clouds/aws/index.js";
import type { AwsSettings } from "../../../src/core/profile.js";
import { fakeRuntime } from "../../fake-runtime.js";
import { thrownBy } from "../../thrown.js";
import { awsSettings, grantTerms, NEXT_ROLE, READ_ONE_BUCKET, ROLE } from "./settings.js";

const ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess";

function plan(settings: Partial<AwsSettings> = {}, ttlSeconds = 300, env: Record<string, string> = {}) {
  return awsCloud.plan(awsSettings(settings), grantTerms(ttlSeconds), fakeRuntime({ env }));
}

describe("the plan of an AWS grant", () => {
  it("says who, by which steps, how narrowly, with which variables and how it ends", () => {
    expect(plan({ sessionPolicy: READ_ONE_BUCKET, region: "eu-central-1" })).toMatchObject({
      cloud: "aws",
      principal: ROLE,
      audiences: ["sts.amazonaws.com"],
      steps: [`assume ${ROLE} with the OIDC token (aud sts.amazonaws.com) at STS in eu-central-1, for 15m`],
      narrowing: [
        expect.stringMatching(/^session policy policies\/read\.json: \d+ of 2048 characters, fence included$/),
        "everything is denied after 2026-11-22T12:05:00Z, but for what AWS does on the session's behalf",
        "making further sessions and tokens, and IAM users, keys and policies, is denied",
      ],
      variables: [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
      ],
      ending: { word: "fenced" },
      facts: { sessionName: "agentctl-l-0123456789abcdef", durationSeconds: 900, stsRegion: "eu-central-1" },
      endpoints: [],
    });
  });

  it("names every hop of a chain, and the last as the principal", () => {
    const { principal, steps, narrowing, facts } = plan({ chain: [{ roleArn: NEXT_ROLE, externalId: "x-1" }] }, 1800);
    expect(principal).toBe(NEXT_ROLE);
    expect(steps[1]).toBe(`then assume ${NEXT_ROLE} with its external id, for 30m`);
    expect(narrowing[0]).toBe("each role before the last may only assume the next");
    expect(facts).toMatchObject({ durationSeconds: 1800 });
    expect(facts["passingHopPolicyCharacters"]).toEqual([expect.stringMatching(`^${ROLE}: \\d+ used, \\d+ left$`)]);
    expect(JSON.stringify(steps)).not.toContain("x-1");
  });

  it("says it when nothing narrows, and when only ARNs do", () => {
    expect(plan().narrowing[0]).toMatch(/^no narrowing: all that the role may do/);
    expect(plan({ policyArns: [ARN] }).narrowing).toContain(`policy ${ARN}`);
  });

  it("says for the endpoint how long each session is good for, and names no deadline of the first", () => {
    const terms = grantTerms(900, undefined, "endpoint");
    const { channel, narrowing, ending, variables } = awsCloud.plan(awsSettings(), terms, fakeRuntime());
    expect({ channel, variables }).toEqual({ channel: "endpoint", variables: [] });
    expect(narrowing).toContain(
      "everything is denied 15m after each session was issued, or when the lease ends, but for what AWS does on the session's behalf",
    );
    expect(ending.detail).toContain("15m after it was issued, and never later than the deadline");
  });

  it.each([
    { channel: "env", want: /^ttl is 2h.* 1h at most/, hint: /lower ttl to 1h or less, or deliver by the endpoint/ },
    { channel: "endpoint", want: /^credential_ttl is 2h.* 1h at most/, hint: /^lower credential_ttl to 1h or less$/ },
  ] as const)("names the key that is too long a chain's for $channel", async ({ channel, want, hint }) => {
    const settings = awsSettings({ chain: [{ roleArn: NEXT_ROLE }] });
    const error = await thrownBy(() => awsCloud.plan(settings, grantTerms(7_200, undefined, channel), fakeRuntime()));
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(error.message).toMatch(want);
    expect(error.hint).toMatch(hint);
  });

  it.each([
    { name: "a listed role", allowed: [NEXT_ROLE], want: `but for assuming ${NEXT_ROLE}` },
    { name: "an hour more for a listed one", allowed: [NEXT_ROLE], want: "lasts up to an hour more" },
    { name: "all derived sessions", allowed: true, want: "sessions, keys and policies made with it are not ended" },
  ])("tells $name", ({ allowed, want }) => {
    expect(JSON.stringify(plan({ allowDerivedSessions: allowed }))).toContain(want);
  });

  it.each([
    { ttl: 1, want: 900 },
    { ttl: 901, want: 901 },
    { ttl: 43_200, want: 43_200 },
  ])("asks for a session of $want s for a ttl of $ttl s", ({ ttl, want }) => {
    expect(plan({}, ttl).facts["durationSeconds"]).toBe(want);
  });

  it.each([
    { name: "a ttl over 12h", settings: {}, ttl: 43_201, want: "CONFIG_INVALID" },
    {
      name: "a ttl over 1h with a chain",
      settings: { chain: [{ roleArn: NEXT_ROLE }] },
      ttl: 3601,
      want: "CONFIG_INVALID",
    },
    { name: "eleven policy ARNs", settings: { policyArns: Array(11).fill(ARN) }, ttl: 60, want: "CONFIG_INVALID" },
    { name: "a region that is no host label", settings: { region: "eu/../x" }, ttl: 60, want: "CONFIG_INVALID" },
    { name: "a policy without a statement", settings: own({ Version: "2012-10-17" }), ttl: 60, want: "POLICY_INVALID" },
    { name: "a policy with an empty list", settings: own({ Statement: [] }), ttl: 60, want: "POLICY_INVALID" },
    { name: "a statement that is text", settings: own({ Statement: "x" }), ttl: 60, want: "POLICY_INVALID" },
    { name: "an unknown element", settings: own({ Statement: {}, Statemnt: {} }), ttl: 60, want: "POLICY_INVALID" },
  ])("refuses $name", ({ settings, ttl, want }) => {
    expect(() => plan(settings, ttl)).toThrowError(expect.objectContaining({ code: want, exitCode: 78 }));
  });

  function own(document: Record<string, unknown>): Partial<AwsSettings> {
    return { sessionPolicy: { document, origin: "inline" } };
  }
});

describe("the policy budget", () => {
  const sized = (characters: number): Partial<AwsSettings> => ({
    sessionPolicy: {
      document: { Statement: { Effect: "Allow", Action: "s3:*", Resource: "x".repeat(characters) } },
      origin: "p",
    },
  });
  const room = Number(plan(sized(1)).facts["policyCharactersLeft"]) + 1;

  it("counts the fence and the ARNs, and leaves room for a real policy", () => {
    const bare = plan(sized(1)).facts;
    const withArn = plan({ ...sized(1), policyArns: [ARN] }).facts;
    expect(Number(withArn["policyCharactersUsed"])).toBe(Number(bare["policyCharactersUsed"]) + ARN.length);
    expect(Number(bare["policyCharactersUsed"]) + Number(bare["policyCharactersLeft"])).toBe(2048);
    expect(bare["fenceCharacters"]).toBeLessThan(420);
  });

  it("takes 2048 characters exactly", () => {
    expect(plan(sized(room)).facts["policyCharactersLeft"]).toBe(0);
  });

  it("refuses one more, and says how many, by how much, and how many are the fence", () => {
    expect(() => plan(sized(room + 1))).toThrowError(
      expect.objectContaining({
        code: "POLICY_TOO_LONG",
        message: expect.stringMatching(/2049 characters, 1 more than AWS's 2048; the fence takes \d+ of them/),
        facts: expect.objectContaining({ policyCharactersUsed: 2049, policyCharactersLimit: 2048 }),
      }),
    );
  });
});

describe("the STS that is asked", () => {
  const region = (settings: Partial<AwsSettings>, env: Record<string, string> = {}) =>
    plan(settings, 60, env).facts["stsRegion"];
  const inPartition = (partition: string) => ({ roleArn: `arn:${partition}:iam::111122223333:role/x` });

  it.each([
    {
      name: "the profile's region",
      settings: { region: "eu-west-1" },
      env: { AWS_REGION: "us-west-2" },
      want: "eu-west-1",
    },
    { name: "else the caller's", settings: {}, env: { AWS_REGION: "us-west-2" }, want: "us-west-2" },
    {
      name: "or its default",
      settings: {},
      env: { AWS_REGION: "", AWS_DEFAULT_REGION: "sa-east-1" },
      want: "sa-east-1",
    },
    {
      name: "not one of another partition",
      settings: inPartition("aws-cn"),
      env: { AWS_REGION: "us-west-2" },
      want: "cn-north-1",
    },
    { name: "not a malformed one", settings: {}, env: { AWS_REGION: "x.evil.example/" }, want: "us-east-1" },
    { name: "the partition's default", settings: inPartition("aws-us-gov"), env: {}, want: "us-gov-west-1" },
  ])("is in $name", ({ settings, env, want }) => {
    expect(region(settings, env)).toBe(want);
  });

  it.each([
    { name: "an unknown partition", settings: inPartition("aws-moon"), env: {}, want: "CONFIG_INVALID" },
    { name: "http off loopback", env: { AWS_ENDPOINT_URL_STS: "http://sts.example" }, want: "ENDPOINT_INVALID" },
    {
      name: "http to a loopback lookalike",
      env: { AWS_ENDPOINT_URL: "http://127.0.0.1.evil.example" },
      want: "ENDPOINT_INVALID",
    },
    { name: "another scheme", env: { AWS_ENDPOINT_URL: "ftp://sts.example" }, want: "ENDPOINT_INVALID" },
    { name: "no URL", env: { AWS_ENDPOINT_URL: "sts.example" }, want: "ENDPOINT_INVALID" },
    { name: "a password in it", env: { AWS_ENDPOINT_URL: "https://me:pw@sts.example" }, want: "ENDPOINT_INVALID" },
    {
      name: "FIPS and an override",
      env: { AWS_ENDPOINT_URL: "https://sts.example", AWS_USE_FIPS_ENDPOINT: "true" },
      want: "ENDPOINT_INVALID",
    },
  ])("refuses $name", ({ settings = {}, env, want }) => {
    expect(() => plan(settings, 60, env as Record<string, string>)).toThrowError(
      expect.objectContaining({ code: want, message: expect.not.stringContaining("pw") }),
    );
  });

  it.each([
    {
      name: "STS's own variable first",
      env: { AWS_ENDPOINT_URL_STS: "https://sts.example/", AWS_ENDPOINT_URL: "https://all.example" },
      want: [{ variable: "AWS_ENDPOINT_URL_STS", url: "https://sts.example" }],
    },
    {
      name: "the general one",
      env: { AWS_ENDPOINT_URL: "http://localhost:4566" },
      want: [{ variable: "AWS_ENDPOINT_URL", url: "http://localhost:4566" }],
    },
    { name: "IPv6 loopback", env: { AWS_ENDPOINT_URL: "http://[::1]:1" }, want: [{ url: "http://[::1]:1" }] },
    {
      name: "none when told to ignore them",
      env: { AWS_ENDPOINT_URL: "https://all.example", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" },
      want: [],
    },
  ])("is overridden: $name", ({ env, want }) => {
    expect(plan({}, 60, env as Record<string, string>).endpoints).toMatchObject(want);
  });
});
