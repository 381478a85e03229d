import { describe, expect, it } from "vitest";
import { failureOf } from "../exchange/identity.js";
import { BUCKET_RULE, gcpSettings } from "./fake-google.js";
import { startFakeRights, whoIs } from "./fake-rights.js";
import { bindingSettings, ENTITLEMENT, GRANTER, MEMBER, scene, texts } from "./scene.js";

const STORAGE = "https://www.googleapis.com/auth/devstorage.read_write";

describe("the end of a grant of an entitlement", () => {
  const settings = gcpSettings({ entitlement: ENTITLEMENT });
  const bounded = gcpSettings({ entitlement: ENTITLEMENT, accessBoundary: [BUCKET_RULE] });
  const withGranter = gcpSettings({ entitlement: ENTITLEMENT, granter: { serviceAccount: GRANTER } });

  it.each([
    { name: "by whoever asked for it", given: settings, states: ["ACTIVE"], want: MEMBER },
    { name: "by the granter", given: withGranter, states: ["ACTIVE"], want: `serviceAccount:${GRANTER}` },
  ])("is asked for $name, and waited for", async ({ given, states, want }) => {
    const google = await startFakeRights({}, { states, endStates: ["REVOKING", "REVOKING", "REVOKED"] });
    const { open, end } = scene(google, { settings: given });
    await open();
    const ending = await end();
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringContaining(ENTITLEMENT) });
    expect(google.pam.grants[0]?.state).toBe("REVOKED");
    const revoking = google.asked.filter(({ path }) => path.endsWith(":revoke"));
    expect(revoking.map(whoIs)).toEqual([want]);
    expect((await end()).word).toBe("removed");
    expect(google.asked.filter(({ path }) => path.endsWith(":revoke"))).toHaveLength(1);
  });

  it.each([
    { name: "is told", given: settings, want: true },
    { name: "is not told of a token with other scopes", given: { ...settings, scopes: [STORAGE] }, want: false },
    { name: "is not told of a token in an access boundary", given: bounded, want: false },
  ])("that can be asked for again by the lease's own token $name", async ({ given, want }) => {
    const google = await startFakeRights({});
    const { open, end } = scene(google, { settings: given });
    await open();
    const { word, detail } = await end();
    expect(word).toBe("removed");
    expect(detail.includes(`such as to ask for ${ENTITLEMENT} again`)).toBe(want);
  });

  it("is only waited for where somebody has asked for it already", async () => {
    const google = await startFakeRights({});
    const { open, end } = scene(google, { settings });
    await open();
    const [grant] = google.pam.grants;
    if (grant !== undefined) Object.assign(grant, { state: "REVOKING", next: ["REVOKING", "REVOKED"] });
    expect((await end()).word).toBe("removed");
    expect(google.asked.filter(({ path }) => /:(revoke|withdraw)$/.test(path))).toEqual([]);
  });

  it("is withdrawn by whoever asked for it, where nobody may revoke it", async () => {
    const google = await startFakeRights({}, { mayNotRevoke: MEMBER });
    const { open, end } = scene(google, { settings });
    await open();
    expect((await end()).word).toBe("removed");
    expect(google.pam.grants[0]?.state).toBe("WITHDRAWN");
  });

  it.each([
    { name: "nobody may end it", pam: { mayNotRevoke: MEMBER, mayNotWithdraw: true }, said: /refused to revoke/ },
    { name: "it does not end", pam: { endStates: ["REVOKING"] }, said: /is REVOKING after 30s/ },
  ])("is unfinished where $name", async ({ pam, said }) => {
    const google = await startFakeRights({}, pam);
    const { open, end } = scene(google, { settings });
    await open();
    const ending = await end();
    expect(ending).toMatchObject({ word: "failed", isUnfinished: true, shortfall: expect.stringMatching(said) });
    // Half an hour at least, whatever the lease's own end.
    expect(ending.detail).toMatch(/ends by itself at/);
  });

  it("is withdrawn by whoever asked for it, where the granter may not even look", async () => {
    const google = await startFakeRights({}, { mayNotList: `serviceAccount:${GRANTER}`, mayNotRevoke: MEMBER });
    const { open, end } = scene(google, { settings: withGranter });
    await open();
    expect((await end()).word).toBe("removed");
    expect(google.pam.grants[0]?.state).toBe("WITHDRAWN");
  });

  it("that nobody approved is unfinished for as long as it may be approved", async () => {
    const google = await startFakeRights(
      {},
      { states: ["APPROVAL_AWAITED"], mayNotRevoke: MEMBER, mayNotWithdraw: true },
    );
    const { open, end, runtime } = scene(google, { settings });
    await failureOf(open());
    await runtime.sleep(12 * 3_600_000);
    const ending = await end();
    expect(ending).toMatchObject({
      word: "failed",
      isUnfinished: true,
      detail: expect.stringContaining("for 24 hours"),
    });
    await runtime.sleep(24 * 3_600_000);
    expect((await end()).isUnfinished).toBeUndefined();
  });

  it("is not called ended when the list of grants has no end", async () => {
    const google = await startFakeRights({});
    const { open, end } = scene(google, { settings });
    await open();
    google.pam.isEndless = true;
    expect(await end()).toMatchObject({ word: "failed", shortfall: expect.stringContaining("more than 5000 grants") });
  });

  it("leaves another lease's alone", async () => {
    const google = await startFakeRights({});
    const other = scene(google, { settings, terms: { leaseId: "l-00000000000other" } });
    await other.open();
    expect((await scene(google, { settings, order: { isIssued: false } }).end()).word).toBe("expires");
    expect(google.pam.grants[0]?.state).toBe("ACTIVE");
  });

  it.each(["APPROVAL_AWAITED", "SCHEDULED"])("that is still %s is ended too", async (state) => {
    const google = await startFakeRights({}, { states: [state] });
    const { open, end } = scene(google, { settings, order: { isIssued: false } });
    await failureOf(open());
    expect((await end()).word).toBe("removed");
  });

  it.each([
    { name: "is ended as soon as it is active", next: ["ACTIVATING", "ACTIVATING", "ACTIVE"], word: "removed" },
    { name: "and does not become active is unfinished", next: [], word: "failed" },
  ])("that only begins, which Google may not end, $name", async ({ next, word }) => {
    const google = await startFakeRights({}, { states: ["SCHEDULED"], endsActiveOnly: true });
    const { open, end } = scene(google, { settings, order: { isIssued: false } });
    await failureOf(open());
    const [grant] = google.pam.grants;
    if (grant !== undefined) grant.next = [...next];
    const ending = await end();
    expect(ending.word).toBe(word);
    expect(ending.isUnfinished).toBe(word === "failed" ? true : undefined);
    expect(grant?.state).toMatch(word === "failed" ? /^SCHEDULED$/ : /^(REVOKED|WITHDRAWN)$/);
    expect(texts(ending).match(/could not be withdrawn either/g) ?? []).toHaveLength(word === "failed" ? 1 : 0);
  });

  it.each([
    { name: "alone", holders: [], word: "removed" },
    {
      name: "beside bindings, which stay until a further try",
      holders: ["projects/my-project", "b/site"],
      word: "failed",
    },
  ])(
    "$name is withdrawn by whoever asked for it, where nobody can be the granter any more",
    async ({ holders, word }) => {
      const google = await startFakeRights(Object.fromEntries(holders.map((holder) => [holder, []])));
      const given = holders.length === 0 ? withGranter : bindingSettings({ entitlement: ENTITLEMENT });
      const { open, end } = scene(google, { settings: given });
      google.granted = () => ["storage.objects.get"];
      await open();
      google.refuseToBe = GRANTER;
      google.pam.mayNotRevoke = MEMBER;
      const ending = await end();
      expect(ending.word).toBe(word);
      expect(texts(ending)).toContain(`could not be ${GRANTER}`);
      expect(google.pam.grants[0]?.state).toBe("WITHDRAWN");
      for (const holder of holders) expect(google.bindings(holder)).toHaveLength(1);
    },
  );
});
