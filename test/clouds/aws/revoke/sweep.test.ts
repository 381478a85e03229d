import { describe, expect, it } from "vitest";
import { sweepClouds } from "../../../../src/clouds/index.js";
import type { AwsSettings, Profile } from "../../../../src/core/profile.js";
import { refuses } from "../fake-sts.js";
import { idToken } from "../issuing.js";
import { awsSettings, ROLE } from "../settings.js";
import type { FakeWorld } from "./fake-aws.js";
import { NOW, REVOKER, scene } from "./taking-back.js";

const deny = (untilMs: number) => `agentctl-revoke-${untilMs / 1000}-l-0123456789ABCDEF`;

async function sweep(world: Partial<FakeWorld>, settings: Partial<AwsSettings> = { revoker: { roleArn: REVOKER } }) {
  const { aws, runtime } = await scene({ world });
  const profile = { clouds: { aws: awsSettings(settings) } } as Profile;
  const { signal } = new AbortController();
  return { aws, swept: sweepClouds(profile, () => async () => idToken(), signal, runtime) };
}

describe("a sweep of the role", () => {
  it("removes all of our denies that have expired, and tells of those that have not", async () => {
    const old = Array.from({ length: 12 }, (_, index) => deny(NOW - 400_000 - index * 1000));
    const young = [deny(NOW - 200_000), deny(NOW + 60_000)];
    const { aws, swept } = await sweep({ policies: ["their-own", ...old, ...young], pageSize: 5 });
    const { sweeps, failures } = await swept;
    expect(failures).toEqual([]);
    expect(sweeps).toEqual([
      {
        cloud: "aws",
        where: ROLE,
        removed: [...old].reverse(),
        kept: [
          { name: young[0], until: "2026-11-22T11:56:40Z" },
          { name: young[1], until: "2026-11-22T12:01:00Z" },
        ],
      },
    ]);
    expect([...aws.policies.keys()]).toEqual(["their-own", ...young]);
    expect(aws.askedFor("AssumeRoleWithWebIdentity")[0]).toMatchObject({ RoleSessionName: "agentctl-revoke-sweep" });
  });

  it("asks nobody where no revoker is named", async () => {
    const { aws, swept } = await sweep({ policies: [deny(NOW - 400_000)] }, {});
    expect(await swept).toEqual({ sweeps: [], failures: [] });
    expect(aws.asked).toHaveLength(0);
  });

  it("tells where it is refused", async () => {
    const instead = { DeleteRolePolicy: [refuses(403, "AccessDenied", "no")] };
    const { swept } = await sweep({ policies: [deny(NOW - 400_000)], instead });
    const error = { code: "CLOUD_DENIED", facts: { role: ROLE, revoker: REVOKER } };
    expect(await swept).toMatchObject({ sweeps: [], failures: [{ cloud: "aws", error }] });
  });
});
