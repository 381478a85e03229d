import { describe, expect, it } from "vitest";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { expressionOf } from "../../../src/clouds/gcp/rights/lease-title.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { endContext } from "../end-order.js";
import { failureOf, idToken } from "../exchange/identity.js";
import { ACCOUNT, gcpSettings } from "./fake-google.js";
import type { FakeGrant } from "./fake-pam.js";
import { denied, type FakeRights, sleepingRuntime, startFakeRights, whoIs } from "./fake-rights.js";
import {
  BUCKET,
  bindingSettings,
  ENTITLEMENT,
  FOREIGN,
  GRANTER,
  HOLDERS,
  LEASE,
  MEMBER,
  OTHERS,
  PROJECT,
  READY,
  scene,
  startWithPolicies,
} from "./scene.js";

describe("the sweep", () => {
  it("takes off what has ended, on every resource of the profile, and tells what stays", async () => {
    const google = await startWithPolicies();
    const over = {
      ...OTHERS,
      condition: { title: "agentctl-l-000000000000over-1500000000", expression: expressionOf(1_500_000_000) },
    };
    google.write("b/site", (all) => [over, ...all]);
    const swept = await gcpCloud.sweep?.(
      bindingSettings(),
      endContext({ mintToken: async ([audience = ""]) => idToken(audience) }),
      sleepingRuntime(google.env),
    );
    const kept = { name: OTHERS.condition?.title, until: "2096-10-02T07:06:40Z" };
    expect(swept).toEqual({
      cloud: "gcp",
      where: `${PROJECT}, ${BUCKET}`,
      removed: ["agentctl-l-000000000000over-1500000000"],
      kept: [kept, kept],
      failures: [],
    });
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
    expect(google.written).toHaveLength(1);
  });

  it("goes on after a resource whose policy cannot be read or written, which is told by its name", async () => {
    const google = await startWithPolicies();
    const over = {
      ...OTHERS,
      condition: { title: "agentctl-l-000000000000over-1500000000", expression: expressionOf(1_500_000_000) },
    };
    for (const holder of HOLDERS) google.write(holder, (all) => [over, ...all]);
    google.beforeSet = (holder) => (holder === HOLDERS[0] ? denied() : undefined);
    const swept = await gcpCloud.sweep?.(
      bindingSettings(),
      endContext({ mintToken: async ([audience = ""]) => idToken(audience) }),
      sleepingRuntime(google.env),
    );
    expect(swept).toMatchObject({
      removed: ["agentctl-l-000000000000over-1500000000"],
      failures: [{ part: PROJECT, error: { code: "CLOUD_DENIED" } }],
    });
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
    expect(google.bindings("projects/my-project")).toContainEqual(over);
  });

  it("fails as a whole where the granter is not let in", async () => {
    const google = await startWithPolicies();
    google.refuseToBe = GRANTER;
    const context = endContext({ mintToken: async ([audience = ""]) => idToken(audience) });
    const sweep = gcpCloud.sweep?.(bindingSettings(), context, sleepingRuntime(google.env));
    expect(await failureOf(Promise.resolve(sweep))).toMatchObject({ code: "CLOUD_DENIED" });
  });

  it("of a profile that gives nothing asks nobody", async () => {
    expect(await gcpCloud.sweep?.(gcpSettings(), endContext(), sleepingRuntime({}))).toBeUndefined();
  });
});

describe("the sweep, of an entitlement", () => {
  const HOUR_MS = 3_600_000;
  const onlyThat = gcpSettings({ entitlement: ENTITLEMENT });
  const withGranter = gcpSettings({ entitlement: ENTITLEMENT, granter: { serviceAccount: GRANTER } });
  const both = bindingSettings({ entitlement: ENTITLEMENT, ready: { ...READY, at: BUCKET } });
  const sweep = (google: FakeRights, settings: GcpSettings, sinceMs = 0) => {
    const { now, ...runtime } = sleepingRuntime(google.env);
    const context = endContext({ mintToken: async ([audience = ""]) => idToken(audience) });
    return (
      gcpCloud.sweep?.(settings, context, { ...runtime, now: () => now() + sinceMs }) ?? Promise.resolve(undefined)
    );
  };
  /** Whoever had it was killed with all its helpers. */
  const startWithGrant = async (settings = onlyThat) => {
    const google = await startFakeRights({});
    await scene(google, { settings }).open();
    const [grant] = google.pam.grants;
    if (grant !== undefined) grant.auditTrail = { accessGrantTime: "2096-10-02T07:06:40Z" };
    return google;
  };
  const endings = (google: FakeRights) => google.asked.filter(({ path }) => /:(revoke|withdraw)$/.test(path));

  it("keeps a grant whose lease may be open, with the end that it has of its own", async () => {
    const google = await startWithGrant();
    expect(await sweep(google, onlyThat)).toEqual({
      cloud: "gcp",
      where: ENTITLEMENT,
      removed: [],
      kept: [{ name: `grant 1 (lease ${LEASE})`, until: "2096-10-02T07:36:40Z", endsByItself: true }],
      failures: [],
    });
    expect(endings(google)).toEqual([]);
  });

  it.each([
    { name: "revoked by the granter", settings: withGranter, want: `serviceAccount:${GRANTER}`, state: "REVOKED" },
    { name: "revoked by whoever asked for it", settings: onlyThat, want: MEMBER, state: "REVOKED" },
  ])("has a grant whose lease is over $name", async ({ settings, want, state }) => {
    const google = await startWithGrant(settings);
    expect(await sweep(google, settings, HOUR_MS)).toMatchObject({
      removed: [`grant 1 (lease ${LEASE})`],
      kept: [],
      failures: [],
    });
    expect(endings(google).map(whoIs)).toEqual([want]);
    expect(google.pam.grants[0]?.state).toBe(state);
  });

  it("has it withdrawn where nobody may revoke it", async () => {
    const google = await startWithGrant();
    google.pam.mayNotRevoke = MEMBER;
    expect((await sweep(google, onlyThat, HOUR_MS))?.removed).toHaveLength(1);
    expect(google.pam.grants[0]?.state).toBe("WITHDRAWN");
  });

  it("names a grant that cannot be ended", async () => {
    const google = await startWithGrant();
    Object.assign(google.pam, { mayNotRevoke: MEMBER, mayNotWithdraw: true });
    expect(await sweep(google, onlyThat, HOUR_MS)).toMatchObject({
      removed: [],
      kept: [],
      failures: [{ part: `${ENTITLEMENT}/grants/1`, error: { code: "CLOUD_DENIED" } }],
    });
  });

  it("tells the state of one that has not begun, and leaves others' alone", async () => {
    const google = await startWithGrant();
    const [grant] = google.pam.grants as [FakeGrant];
    const { auditTrail: _, ...waiting } = grant;
    const justification = { unstructuredJustification: "to look at the logs" };
    google.pam.grants = [
      { ...waiting, state: "APPROVAL_AWAITED" },
      { ...grant, name: `${ENTITLEMENT}/grants/2`, justification },
      { ...grant, name: `${ENTITLEMENT}/grants/3`, requester: "user:somebody@example.com" },
    ];
    expect(await sweep(google, withGranter)).toMatchObject({
      removed: [],
      kept: [{ name: `grant 1 (lease ${LEASE}), which is APPROVAL_AWAITED` }],
    });
    await sweep(google, withGranter, HOUR_MS);
    expect(google.pam.grants.map(({ state }) => state)).toEqual(["REVOKED", "ACTIVE", "ACTIVE"]);
  });

  it("goes beside the bindings: what the one cannot keeps nothing from the other", async () => {
    const google = await startWithPolicies();
    await scene(google, { settings: onlyThat }).open();
    google.refuseToBe = GRANTER;
    const swept = await sweep(google, both, HOUR_MS);
    expect(swept).toMatchObject({
      where: `${PROJECT}, ${BUCKET}, ${ENTITLEMENT}`,
      removed: [`grant 1 (lease ${LEASE})`],
      failures: [{ part: "gcp.bindings", error: { code: "CLOUD_DENIED" } }],
    });
    google.refuseToBe = ACCOUNT;
    expect(await sweep(google, both, HOUR_MS)).toMatchObject({
      kept: [{ name: OTHERS.condition?.title }, { name: OTHERS.condition?.title }],
      failures: [{ part: ENTITLEMENT, error: { code: "CLOUD_DENIED" } }],
    });
  });

  it("does not take for over what does not say when its lease is", async () => {
    const google = await startWithGrant();
    const [grant] = google.pam.grants as [FakeGrant];
    const justification = { unstructuredJustification: `agentctl lease ${LEASE} of profile deploy-web` };
    google.pam.grants = [{ ...grant, justification }];
    expect(await sweep(google, onlyThat, HOUR_MS)).toMatchObject({ removed: [], kept: [{ endsByItself: true }] });
  });
});
