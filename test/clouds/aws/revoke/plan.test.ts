import { describe, expect, it } from "vitest";
import { awsCloud } from "../../../../src/clouds/aws/index.js";
import type { AwsSettings, RevokeMode } from "../../../../src/core/profile.js";
import { fakeRuntime } from "../../../fake-runtime.js";
import { awsSettings, grantTerms, LEASE_ID, NEXT_ROLE, OTHER_ROLE, ROLE } from "../settings.js";
import { REVOKER } from "./taking-back.js";

interface Planned {
  readonly settings?: Partial<AwsSettings>;
  readonly revoke?: RevokeMode;
  readonly ttlSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
}

function plan({ settings, revoke = "auto", ttlSeconds = 300, env = {} }: Planned = {}) {
  const whole = awsSettings({ revoker: { roleArn: REVOKER }, ...settings });
  return awsCloud.plan(whole, { ...grantTerms(ttlSeconds), revoke }, fakeRuntime({ env }));
}

describe("the plan of a grant that is taken back", () => {
  it("says by whom, on which role, and what is sure", () => {
    const { steps, ending, facts, undo } = plan({ settings: { chain: [{ roleArn: OTHER_ROLE }] } });
    expect(steps.at(-1)).toBe(
      `at the end assume ${REVOKER} likewise, and put a deny for this session alone on ${OTHER_ROLE}`,
    );
    expect(ending.word).toBe("fenced");
    expect(ending.detail).toMatch(
      /^revoked at the end by \S+agentctl-revoker, where AWS is seen to refuse the session, else removed; failing that, the session's own policy denies/,
    );
    expect(facts).toMatchObject({ revoke: "auto", revoker: REVOKER, acceptEscalation: false });
    expect(undo).toEqual({
      roleArn: OTHER_ROLE,
      sessionName: `agentctl-${LEASE_ID}`,
      stsRegion: "us-east-1",
      derivedSessions: "denied",
      fenceForwarded: false,
      revoke: "auto",
      revokerRoleArn: REVOKER,
      acceptEscalation: false,
      audiences: ["sts.amazonaws.com"],
    });
  });

  it.each([
    { name: "with revoke: none", input: { revoke: "none" } as const },
    { name: "without a revoker", input: { settings: { revoker: undefined as never } } },
  ])("promises nothing $name", ({ input }) => {
    const { steps, ending, facts } = plan(input);
    expect(steps).toHaveLength(1);
    expect(ending.detail).toMatch(/^the session's own policy denies/);
    expect(facts).not.toHaveProperty("revoker");
  });

  it("promises nothing where the fence is always near", () => {
    const { steps, ending } = plan({ ttlSeconds: 59 });
    expect(steps).toHaveLength(1);
    expect(ending.detail).toMatch(/^no deny is put on the role, since the fence is less than 60s away: /);
  });

  it.each([
    {
      name: "IAM's own",
      env: { AWS_ENDPOINT_URL_IAM: "https://iam.example/" },
      want: ["AWS_ENDPOINT_URL_IAM https://iam.example"],
    },
    {
      name: "each service's",
      env: { AWS_ENDPOINT_URL_IAM: "https://iam.example", AWS_ENDPOINT_URL_STS: "https://sts.example" },
      want: ["AWS_ENDPOINT_URL_STS https://sts.example", "AWS_ENDPOINT_URL_IAM https://iam.example"],
    },
    {
      name: "one for both, once",
      env: { AWS_ENDPOINT_URL: "https://aws.example" },
      want: ["AWS_ENDPOINT_URL https://aws.example"],
    },
  ])("tells the endpoints in use: $name", ({ env, want }) => {
    expect(plan({ env }).endpoints.map(({ variable, url }) => `${variable} ${url}`)).toEqual(want);
  });

  it("keeps where STS and IAM are that are not AWS's own", () => {
    const env = { AWS_ENDPOINT_URL_IAM: "https://iam.example/", AWS_ENDPOINT_URL_STS: "https://sts.example" };
    expect(plan({ env }).undo).toMatchObject({ stsUrl: "https://sts.example", iamUrl: "https://iam.example" });
  });

  it("does not tell IAM's where nobody asks it", () => {
    const env = { AWS_ENDPOINT_URL_IAM: "http://iam.example" };
    expect(plan({ env, revoke: "none" }).endpoints).toEqual([]);
  });

  it.each([
    {
      name: "an IAM without TLS",
      input: { env: { AWS_ENDPOINT_URL_IAM: "http://iam.example" } },
      want: "ENDPOINT_INVALID",
    },
    { name: "an IAM that is no URL", input: { env: { AWS_ENDPOINT_URL_IAM: "iam" } }, want: "ENDPOINT_INVALID" },
    { name: "a revoker that is the role", input: { settings: { revoker: { roleArn: ROLE } } }, want: "CONFIG_INVALID" },
    {
      name: "a revoker that is a role on the way",
      input: { settings: { revoker: { roleArn: ROLE }, chain: [{ roleArn: OTHER_ROLE }] } },
      want: "CONFIG_INVALID",
    },
    {
      name: "a revoker of another account than the last role's",
      input: { settings: { chain: [{ roleArn: NEXT_ROLE }] } },
      want: "CONFIG_INVALID",
    },
    {
      name: "a revoker of another partition",
      input: { settings: { revoker: { roleArn: REVOKER.replace("aws", "aws-cn") } } },
      want: "CONFIG_INVALID",
    },
  ] as { name: string; input: Planned; want: string }[])("refuses $name", ({ input, want }) => {
    expect(() => plan(input)).toThrowError(expect.objectContaining({ code: want, exitCode: 78 }));
  });
});
