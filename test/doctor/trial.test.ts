import fs from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { givenRights } from "../../src/core/given-rights.js";
import { examine } from "../../src/doctor/examination.js";
import { makeProject, runtimeIn } from "./examination.js";

const ROLE = "arn:aws:iam::111122223333:role/deploy";
const REVOKER = "arn:aws:iam::111122223333:role/revoker";

let dir: string;
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

describe("the lease that is tried", () => {
  test.each([
    { name: "as strictly as can be where there is a revoker", revoke: "auto", revoker: true, want: "required" },
    { name: "as it is where that is required", revoke: "required", revoker: true, want: "required" },
    { name: "without it where nothing is taken back", revoke: "none", revoker: true, want: "none" },
    { name: "as it is where nobody would take it back", revoke: "auto", revoker: false, want: "auto" },
  ])("is $name", async ({ revoke, revoker, want }) => {
    const block = revoker ? `, revoker: { role_arn: "${REVOKER}" }` : "";
    dir = makeProject(
      `version: 1\nprofiles:\n  deploy: { revoke: ${revoke}, aws: { role_arn: "${ROLE}", region: eu-central-1${block} } }\n`,
    );
    const trial = await examine({ profileName: "deploy" }, runtimeIn(dir)).trial();
    expect(trial.revoke).toBe(revoke);
    expect(trial.profile.revoke).toBe(want);
    expect(trial.plans[0]?.facts["revoker"]).toBe(want === "required" ? REVOKER : undefined);
  });
});

describe("a lease that would be given rights", () => {
  const GIVEN = `version: 1
profiles:
  deploy:
    ttl: 15m
    revoke: required
    azure:
      tenant_id: aaaabbbb-0000-cccc-1111-dddd2222eeee
      client_ids: [00001111-aaaa-2222-bbbb-3333cccc4444, 22223333-cccc-4444-dddd-5555eeee6666]
      granter: { client_id: 11112222-bbbb-3333-cccc-4444dddd5555 }
      assignments: [{ role: Reader, scope: /subscriptions/s }]
      ready: { permissions: [x/read], timeout: 10m }
    gcp:
      workload_identity_provider: projects/1/locations/global/workloadIdentityPools/pool/providers/github
      service_account: jit@my-project.iam.gserviceaccount.com
      granter: { service_account: granter@my-project.iam.gserviceaccount.com }
      bindings: [{ role: roles/storage.objectViewer, resource: buckets/site }]
      entitlement: projects/my-project/locations/global/entitlements/some
      ready: { permissions: [storage.objects.get], at: buckets/site }
`;

  test("is tried without them, so that nothing is to be taken back; what a run gives is kept beside", async () => {
    dir = makeProject(GIVEN);
    const { plans, terms, run } = await examine({ profileName: "deploy" }, runtimeIn(dir)).trial();
    expect(plans.map(({ ending }) => ending.word)).toEqual(["expires", "expires"]);
    expect(plans.map(({ undo }) => undo)).toEqual([{}, {}]);
    expect(plans.flatMap(({ facts }) => givenRights(facts))).toEqual([]);
    expect(terms.latestDeadlineAt).toBe(terms.deadlineAt);
    expect(plans[0]?.principal).toMatch(/^application 0000\S+ in tenant/);
    expect(run.plans.flatMap(({ facts }) => givenRights(facts))).toEqual([
      "Reader on /subscriptions/s",
      "roles/storage.objectViewer on //storage.googleapis.com/projects/_/buckets/site",
      "projects/my-project/locations/global/entitlements/some",
    ]);
    expect(run.terms.ttlSeconds).toBe(900);
    expect(run.terms.latestDeadlineAt).toBe(run.terms.deadlineAt + 20 * 60_000);
  });
});
