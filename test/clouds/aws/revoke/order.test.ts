import { describe, expect, it } from "vitest";
import { awsCloud } from "../../../../src/clouds/aws/index.js";
import type { EndOrder, Facts } from "../../../../src/core/lease.js";
import { endContext } from "../../end-order.js";
import { idToken } from "../issuing.js";
import { LEASE_ID, OTHER_ROLE, ROLE } from "../settings.js";
import { FENCE, NOW, REVOKER, type Scene, scene, stepsOf } from "./taking-back.js";

const NAME = `agentctl-revoke-${FENCE / 1000}-${LEASE_ID}`;

describe("an order to end", () => {
  const UNTOUCHED: { name: string; input: Scene; want: string }[] = [
    { name: "without anything to undo", input: { order: { undo: {} } }, want: "fenced" },
    { name: "with revoke: none", input: { revoke: "none" }, want: "fenced" },
    { name: "whose fence is under a minute away", input: { order: { usableUntil: NOW + 59_999 } }, want: "fenced" },
    { name: "whose fence has passed", input: { order: { usableUntil: NOW - 1 } }, want: "fenced" },
    {
      name: "whose keys AWS has ended before their fence",
      input: { order: { usableUntil: NOW - 1, expiresAt: NOW - 1 } },
      want: "expires",
    },
  ];
  it.each(UNTOUCHED)("$name asks nobody, and nothing is missing", async ({ input, want }) => {
    const { aws, end } = await scene(input);
    const ending = await end();
    expect(ending.word).toBe(want);
    expect(ending).not.toHaveProperty("shortfall");
    expect(aws.asked).toHaveLength(0);
  });

  it("is carried out where the fence is a minute away", async () => {
    const { aws, end } = await scene({ order: { usableUntil: NOW + 60_000 } });
    await end();
    expect(aws.policies.size).toBe(1);
  });

  it.each([
    { name: "near", usableUntil: NOW + 30_000, want: "the session's own fence is less than 60s away" },
    { name: "passed", usableUntil: NOW - 30_000, want: "the session's own fence has passed" },
  ])("tells in a step why a fence that is $name is left to itself", async ({ usableUntil, want }) => {
    const { end } = await scene({ order: { usableUntil } });
    expect(stepsOf(await end())).toEqual([`put no deny on ${ROLE}: ${want}`]);
  });

  it("of what nobody knows to have been issued is carried out all the same", async () => {
    const { aws, order, runtime } = await scene({ isWithoutKeys: true });
    const { expiresAt: _, ...unknown } = order;
    const context = endContext({ mintToken: async () => idToken() });
    const ending = await awsCloud.end({ ...unknown, isIssued: false }, context, runtime);
    expect(ending).toMatchObject({ word: "removed", at: "2026-11-22T12:05:00Z", until: "2026-11-22T12:20:00Z" });
    expect(aws.policies.has(NAME)).toBe(true);
  });

  it("needs nothing but what was kept of it", async () => {
    const { aws, runtime, order } = await scene({ isWithoutKeys: true });
    const kept = JSON.parse(JSON.stringify(order)) as EndOrder;
    const asked: (readonly string[])[] = [];
    const mintToken = async (audiences: readonly string[]) => {
      asked.push(audiences);
      return idToken();
    };
    expect(await awsCloud.end(kept, endContext({ mintToken }), runtime)).toMatchObject({ word: "removed" });
    expect(asked).toEqual([["sts.amazonaws.com"]]);
    expect(aws.policies.has(NAME)).toBe(true);
  });

  const SENSELESS: { name: string; undo?: Facts; leaseId?: string; want: RegExp }[] = [
    { name: "no role", undo: { roleArn: "" }, want: /^the role, / },
    { name: "a role that is a number", undo: { roleArn: 5 }, want: /^the role, / },
    { name: "a user for a role", undo: { roleArn: ROLE.replace("role/", "user/") }, want: /^the role, / },
    { name: "a role with more behind it", undo: { roleArn: `${ROLE}\nx` }, want: /^the role, / },
    { name: "a revoker that is a list", undo: { revokerRoleArn: [REVOKER] }, want: /^the revoker, / },
    { name: "a revoker elsewhere", undo: { revokerRoleArn: REVOKER.replace("1111", "9999") }, want: /^the revoker, / },
    {
      name: "a revoker in another partition",
      undo: { revokerRoleArn: REVOKER.replace("aws", "aws-cn") },
      want: /^the rev/,
    },
    { name: "the role itself as the revoker", undo: { revokerRoleArn: ROLE }, want: /^the revoker, / },
    { name: "a host for a region", undo: { stsRegion: "evil.example/" }, want: /^the region, / },
    { name: "no region", undo: { stsRegion: true }, want: /^the region, / },
    { name: "everybody's session", undo: { sessionName: "*" }, want: /^the session's name, / },
    {
      name: "another lease's session",
      undo: { sessionName: "agentctl-l-AAAAAAAAAAAAAAAA" },
      want: /^the session's name, /,
    },
    { name: "no audience", undo: { audiences: [] }, want: /^the audience, / },
    { name: "a word for the audiences", undo: { audiences: "x" }, want: /^the audience, / },
    { name: "a number for an endpoint", undo: { stsUrl: 5 }, want: /^the endpoint, / },
    { name: "a list for an endpoint", undo: { iamUrl: ["x"] }, want: /^the endpoint, / },
    { name: "an unheard-of revoke", undo: { revoke: "maybe" }, want: /^revoke, / },
    { name: "a lease's id that is none", leaseId: "l-*", want: /^the lease's id, / },
  ];
  it.each(SENSELESS)("with $name has failed, for good, and asks nobody", async ({ undo, leaseId, want }) => {
    const { aws, order, runtime } = await scene();
    const tampered = { ...order, leaseId: leaseId ?? order.leaseId, undo: { ...order.undo, ...undo } };
    const ending = await awsCloud.end(tampered, endContext(), runtime);
    expect(ending).toMatchObject({
      word: "failed",
      at: "2026-11-22T12:05:00Z",
      shortfall: expect.stringMatching(want),
    });
    expect(ending).not.toHaveProperty("isUnfinished");
    expect(aws.asked).toHaveLength(0);
  });

  it("believes no kind of derived sessions that it does not know", async () => {
    const { order, runtime } = await scene({ order: { usableUntil: NOW } });
    const undo = { ...order.undo, derivedSessions: "few" };
    expect((await awsCloud.end({ ...order, undo }, endContext(), runtime)).detail).toContain("are not ended with it");
  });
});

describe("an order of another AWS", () => {
  const HERE = /AWS_ENDPOINT_URL names here$/;
  const OWN = { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" };
  const cases: { name: string; undo?: Facts; without?: string; env?: Record<string, string>; want: RegExp }[] = [
    {
      name: "whose STS was another",
      undo: { stsUrl: "https://sts.example" },
      want: /^it was issued by another STS \(https:\/\/sts\.example\) than AWS_ENDPOINT_URL names here$/,
    },
    {
      name: "whose IAM was another",
      undo: { iamUrl: "https://iam.example" },
      want: /^its role is at another IAM \(https:\/\/iam\.example\) than AWS_ENDPOINT_URL names here$/,
    },
    { name: "whose STS was AWS's own", without: "stsUrl", want: /^it was issued by AWS's own STS, not the one / },
    { name: "whose IAM was AWS's own", without: "iamUrl", want: HERE },
    {
      name: "that AWS's own is asked about",
      env: OWN,
      want: /^it was issued by another STS \(http:\/\/\S+\) than AWS's own, which is asked here$/,
    },
  ];
  it.each(cases)("$name touches nothing, and is unfinished", async ({ undo, without, env, want }) => {
    const { aws, order, runtime } = await scene();
    const { [without ?? ""]: _, ...kept } = order.undo;
    const here = { ...runtime, env: { ...runtime.env, ...env } };
    const context = endContext({ mintToken: async () => idToken() });
    const ending = await awsCloud.end({ ...order, undo: { ...kept, ...undo } }, context, here);
    expect(ending).toMatchObject({ word: "failed", isUnfinished: true, shortfall: expect.stringMatching(want) });
    expect(stepsOf(ending)).toEqual(["gave up: AWS was not asked"]);
    expect(aws.asked).toHaveLength(0);
  });

  it("is carried out where the same one is written in another way", async () => {
    const { aws, order, runtime } = await scene({ isWithoutKeys: true });
    const here = { ...runtime, env: { AWS_ENDPOINT_URL_STS: `${aws.url}/`, AWS_ENDPOINT_URL_IAM: aws.url } };
    const ending = await awsCloud.end(order, endContext({ mintToken: async () => idToken() }), here);
    expect(ending.word).toBe("removed");
  });
});

describe("a chain", () => {
  it("is taken back at its last role", async () => {
    const { aws, end } = await scene({ settings: { chain: [{ roleArn: OTHER_ROLE }] } });
    expect(await end()).toMatchObject({ word: "revoked" });
    expect(aws.askedFor("PutRolePolicy")).toMatchObject([{ RoleName: "other" }]);
    expect(aws.askedFor("AssumeRoleWithWebIdentity")).toMatchObject([{ RoleArn: REVOKER }]);
  });
});
