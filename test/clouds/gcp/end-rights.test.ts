import { describe, expect, it } from "vitest";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import { openGcpRights } from "../../../src/clouds/gcp/rights/open-rights.js";
import { takeBack } from "../../../src/clouds/gcp/rights/take-back.js";
import { readUndoing } from "../../../src/clouds/gcp/rights/undo.js";
import { AgentctlError } from "../../../src/core/errors.js";
import type { EndContext, Ending, EndOrder, Grant, GrantTerms } from "../../../src/core/lease.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { Secret } from "../../../src/core/secret.js";
import { endContext } from "../end-order.js";
import { answersJson } from "../exchange/fake-service.js";
import { failureOf, grantTerms, idToken, TOKEN } from "../exchange/identity.js";
import { ACCOUNT, gcpSettings } from "./fake-google.js";
import {
  END_FAST,
  type FakeBinding,
  type FakeRights,
  OPEN_FAST,
  sleepingRuntime,
  startFakeRights,
  tokenOf,
  whoIs,
} from "./fake-rights.js";

const GRANTER = "granter@my-project.iam.gserviceaccount.com";
const MEMBER = `serviceAccount:${ACCOUNT}`;
const VIEWER = "roles/storage.objectViewer";
const PROJECT = "//cloudresourcemanager.googleapis.com/projects/my-project";
const BUCKET = "//storage.googleapis.com/projects/_/buckets/site";
const ENTITLEMENT = "projects/my-project/locations/global/entitlements/deploy";
const HOLDERS = ["projects/my-project", "b/site"];
const LEASE = "l-0123456789abcdef";
const FOREIGN: readonly FakeBinding[] = [
  { role: "roles/owner", members: ["user:boss@example.com"] },
  { role: VIEWER, members: [MEMBER], condition: { title: "office hours", expression: "true" } },
];
/** Of another lease, which lives. */
const OTHERS: FakeBinding = {
  role: VIEWER,
  members: [MEMBER],
  condition: { title: "agentctl-l-00000000000other-4000000000", expression: "true" },
};
const READY = { permissions: ["storage.objects.get"], at: BUCKET, timeoutSeconds: 60 };

function bindingSettings(overrides: Partial<GcpSettings> = {}): GcpSettings {
  const bindings = [PROJECT, BUCKET].map((resource) => ({ role: VIEWER, resource }));
  return gcpSettings({ granter: { serviceAccount: GRANTER }, bindings, ready: READY, ...overrides });
}

interface Scene {
  readonly settings?: GcpSettings;
  readonly terms?: Partial<GrantTerms>;
  readonly order?: Partial<EndOrder>;
  readonly context?: Partial<EndContext>;
  readonly limits?: Partial<typeof END_FAST>;
}

/** One lease over a fake Google: its rights given, and its end, each as often as a test wants. */
function scene(google: FakeRights, { settings = bindingSettings(), terms = {}, order, context, limits }: Scene = {}) {
  const runtime = sleepingRuntime(google.env);
  const granted = { ...grantTerms(900, runtime.now()), ...terms };
  const { undo, principal } = gcpCloud.plan(settings, granted, runtime);
  const mintToken = async ([audience = ""]: readonly string[]) => idToken(audience);
  const told = { onProgress: () => {}, onNotice: () => {} };
  const signal = new AbortController().signal;
  const expiresAt = granted.endsAt;
  const base = { leaseId: LEASE, cloud: "gcp", channel: "env", principal, undo, usableUntil: expiresAt } as const;
  return {
    runtime,
    undo,
    open: () => openGcpRights(settings, granted, { mintToken, signal, ...told }, runtime, OPEN_FAST),
    end: async (): Promise<Ending> => {
      const complete: EndOrder = { ...base, isIssued: true, expiresAt, ...order };
      const undoing = readUndoing(complete);
      if (undoing.kind !== "take-back") throw new Error(undoing.kind);
      const ending = endContext({ mintToken, ...context });
      return takeBack(complete, undoing.target, ending, runtime, { ...END_FAST, ...limits });
    },
    endByRoom: (overrides: Partial<EndOrder> = {}) =>
      gcpCloud.end({ ...base, isIssued: true, expiresAt, ...order, ...overrides }, endContext({ mintToken }), runtime),
  };
}

function grantOf(expiresAt: number): Grant {
  return {
    cloud: "gcp",
    channel: "env",
    principal: ACCOUNT,
    issuedAt: 0,
    usableUntil: expiresAt,
    expiresAt,
    variables: {},
    secrets: { token: { value: new Secret(tokenOf(ACCOUNT)), usableUntil: expiresAt } },
    facts: {},
  };
}

async function startWithPolicies(): Promise<FakeRights> {
  return startFakeRights({ "projects/my-project": [...FOREIGN, OTHERS], "b/site": [...FOREIGN, OTHERS] });
}

function texts({ steps = [] }: Ending): string {
  return steps.map(({ text }) => text).join("\n");
}

describe("the end of bindings", () => {
  it("takes the lease's own, and nobody else's, off every policy: removed, with Google's delay", async () => {
    const google = await startWithPolicies();
    const { open, end, runtime } = scene(google);
    await open();
    const ending = await end();
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual([...FOREIGN, OTHERS]);
    expect(ending).toMatchObject({ cloud: "gcp", word: "removed" });
    expect(Date.parse(ending.at) - runtime.now()).toBeGreaterThan(6 * 60_000);
    expect(Date.parse(ending.at) - runtime.now()).toBeLessThanOrEqual(7 * 60_000);
    expect(Date.parse(ending.until ?? "")).toBeGreaterThan(Date.parse(ending.at));
    expect(ending.detail).toMatch(/2 minutes as a rule.*7 minutes or longer.*no token of it to see that/);
    expect(texts(ending)).toContain(`took 1 of its bindings off ${BUCKET}, as ${GRANTER}`);
    expect(google.written.slice(-2).map(({ who }) => who)).toEqual(Array(2).fill(`serviceAccount:${GRANTER}`));
  });

  it.each([
    { name: "its own bound", terms: (now: number) => ({ latestEndsAt: now + 100_000 }), order: {} },
    { name: "the token's own end", terms: () => ({}), order: (now: number) => ({ expiresAt: now + 100_000 }) },
  ])("is never said to be later than $name", async ({ terms, order }) => {
    const google = await startWithPolicies();
    const now = Date.now();
    const made = scene(google, {
      terms: terms(now),
      order: typeof order === "function" ? order(now) : order,
    });
    await made.open();
    const { at, word } = await made.end();
    expect(word).toBe("removed");
    expect(Date.parse(at)).toBeLessThanOrEqual(now + 100_000);
    expect(Date.parse(at)).toBeGreaterThan(now + 98_000);
  });

  it("is gone over again when others write at the same time, and leaves what they wrote", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google);
    await open();
    google.beforeSet = (holder, count) => {
      if (count < 10)
        google.write(holder, (all) => [...all, { role: "roles/browser", members: [`user:u${count}@x.y`] }]);
      return undefined;
    };
    expect((await end()).word).toBe("removed");
    const left = HOLDERS.flatMap((holder) => google.bindings(holder));
    expect(left.filter(({ condition }) => condition?.title.includes(LEASE))).toEqual([]);
    expect(left.filter(({ role }) => role === "roles/browser")).toHaveLength(7);
  });

  it("a second time does no harm, and writes nothing", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google);
    await open();
    await end();
    const writes = google.written.length;
    const ending = await end();
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringContaining("taken it back before") });
    expect(google.written).toHaveLength(writes);
  });

  it("finds them by the lease's id, whatever end their title has", async () => {
    const google = await startWithPolicies();
    const { end } = scene(google);
    const stray = { ...OTHERS, condition: { title: `agentctl-${LEASE}-1999999999`, expression: "true" } };
    google.write("b/site", (all) => [...all, stray]);
    await end();
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
  });

  it("prunes others of ours that have ended, in the same write", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google);
    await open();
    const over = { ...OTHERS, condition: { title: "agentctl-l-000000000000over-1500000000", expression: "true" } };
    google.write("b/site", (all) => [...all, over]);
    const writes = google.written.length;
    expect(texts(await end())).toContain(`pruned 1 of our bindings on ${BUCKET}`);
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
    expect(google.written).toHaveLength(writes + 2);
  });

  it.each([
    { name: "before anything was given", give: false, isIssued: false, word: "expires" },
    { name: "after it was given, with no token known", give: true, isIssued: false, word: "removed" },
  ])("of a run that was cut off $name is $word, by what the ledger holds", async ({ give, isIssued, word }) => {
    const google = await startWithPolicies();
    const { open, end } = scene(google, { order: { isIssued } });
    if (give) await open();
    const ending = await end();
    expect(ending.word).toBe(word);
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual([...FOREIGN, OTHERS]);
    if (!give) expect(texts(ending)).toContain("nothing of this lease was there");
  });

  it("looks twice for what was under way when a run was cut off", async () => {
    const google = await startWithPolicies();
    const made = scene(google, { order: { isIssued: false } });
    const late = { ...OTHERS, condition: { title: `agentctl-${LEASE}-4000000000`, expression: "true" } };
    const { sleep } = made.runtime;
    Object.assign(made.runtime, {
      sleep: async (ms: number) => {
        google.write("b/site", (all) => [...all, late]);
        await sleep(ms);
      },
    });
    expect((await made.end()).word).toBe("removed");
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
  });

  it("after a failure part of the way through giving leaves none of them", async () => {
    const google = await startWithPolicies();
    const made = scene(google, { order: { isIssued: false } });
    google.beforeSet = (holder) =>
      holder === "b/site"
        ? answersJson(400, { error: { code: 400, message: "no", errors: [{ reason: "invalid" }] } })
        : undefined;
    expect(await failureOf(made.open())).toMatchObject({ code: "CLOUD_DENIED" });
    google.beforeSet = () => undefined;
    expect((await made.end()).word).toBe("removed");
    for (const holder of HOLDERS) expect(google.bindings(holder)).toEqual([...FOREIGN, OTHERS]);
  });
});

describe("what failed", () => {
  const refusal = { error: { code: 403, message: "no more", errors: [{ reason: "forbidden" }] } };

  it("is told, what could be removed is removed, and a further try may have the rest", async () => {
    const google = await startWithPolicies();
    const { open, end, endByRoom } = scene(google);
    await open();
    google.beforeSet = (holder) => (holder === "b/site" ? answersJson(403, refusal) : undefined);
    const ending = await end();
    expect(ending).toMatchObject({ word: "failed", isUnfinished: true, shortfall: expect.stringContaining("no more") });
    expect(google.bindings("projects/my-project")).toEqual([...FOREIGN, OTHERS]);
    google.beforeSet = () => undefined;
    expect((await endByRoom()).word).toBe("removed");
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
  });

  it("is not to be tried again once it has ended by itself", async () => {
    const google = await startWithPolicies();
    const past = Date.now() - 1_000;
    const ours = {
      ...OTHERS,
      condition: { title: `agentctl-${LEASE}-${Math.floor(past / 1000)}`, expression: "true" },
    };
    google.write("b/site", (all) => [...all, ours]);
    const { end } = scene(google, { terms: { latestEndsAt: past } });
    google.beforeSet = () => answersJson(403, refusal);
    const ending = await end();
    expect(ending).toMatchObject({ word: "failed" });
    expect(ending.isUnfinished).toBeUndefined();
    google.beforeSet = () => undefined;
    expect(await end()).toMatchObject({ word: "expires", detail: expect.stringContaining("ended by itself") });
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
  });

  it.each([
    {
      name: "no token can be had",
      mintToken: () => Promise.reject(new AgentctlError("NO_IDENTITY", "no identity here")),
    },
    { name: "the token is never given", mintToken: () => new Promise<never>(() => {}) },
  ])("when $name is an ending, and no exception", async ({ mintToken }) => {
    const google = await startWithPolicies();
    const { end } = scene(google, { context: { mintToken }, limits: { removeMs: 300 } });
    expect(await end()).toMatchObject({ word: "failed", isUnfinished: true });
  });

  it("by an interruption says so at once", async () => {
    const google = await startWithPolicies();
    const stop = new AbortController();
    const { open, end } = scene(google, { context: { signal: stop.signal } });
    await open();
    google.beforeSet = () => {
      stop.abort(new AgentctlError("INTERRUPTED", "enough"));
      return answersJson(409, { error: { code: 409, status: "ABORTED", message: "x" } });
    };
    expect(await end()).toMatchObject({
      word: "failed",
      shortfall: expect.stringContaining("interrupted"),
      isUnfinished: true,
    });
  });
});

describe("watching", () => {
  async function watched(granted: FakeRights["granted"], extra: Scene = {}) {
    const google = await startWithPolicies();
    const made = scene(google, { ...extra, order: { grant: grantOf(Date.now() + 900_000), ...extra.order } });
    google.granted = () => READY.permissions;
    await made.open();
    let count = 0;
    google.granted = (holder, who) => {
      count += 1;
      return granted(holder, who, count);
    };
    return { google, ending: await made.end() };
  }

  it("that sees the lease's own token lose the permission, twice in a row, is revoked", async () => {
    const { ending, google } = await watched((_holder, _who, count) =>
      [3, 5, 6].includes(count) ? [] : READY.permissions,
    );
    expect(ending).toMatchObject({
      word: "revoked",
      detail: expect.stringContaining(`testIamPermissions on ${BUCKET} stopped`),
    });
    expect(Date.parse(ending.until ?? "")).toBeGreaterThan(Date.parse(ending.at));
    const tests = google.asked.filter(({ path }) => path.includes("testPermissions"));
    expect(whoIs(tests.at(-1) as { headers: Record<string, string> })).toBe(MEMBER);
  });

  it.each<{ name: string; granted: FakeRights["granted"]; said: RegExp }>([
    { name: "goes on being granted", granted: () => READY.permissions, said: /was not seen to refuse within 3\d/ },
    { name: "was not granted before", granted: () => [], said: /granted the lease's own token nothing before/ },
    {
      name: "cannot be asked about",
      granted: () => answersJson(401, { error: { code: 401, message: "x", errors: [{ reason: "authError" }] } }),
      said: /no answer by which that could be seen/,
    },
  ])("what $name is removed and no more", async ({ granted, said }) => {
    const { ending } = await watched(granted);
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringMatching(said) });
  });

  it("is not done where nobody waits for it", async () => {
    const stop = new AbortController();
    stop.abort();
    const { ending } = await watched(() => [], { context: { unwatched: stop.signal } });
    expect(ending).toMatchObject({ word: "removed", detail: expect.stringContaining("nobody waited") });
  });
});

describe("the end of a grant of an entitlement", () => {
  const settings = gcpSettings({ entitlement: ENTITLEMENT });
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
});

describe("the order", () => {
  it("of a profile that gives nothing ends as it always did", async () => {
    const google = await startFakeRights({});
    const made = scene(google, { settings: gcpSettings() });
    expect(made.undo).toEqual({});
    expect(await made.endByRoom()).toMatchObject({ word: "expires" });
    expect(google.asked).toEqual([]);
  });

  it("that is not to be taken back says when it ends by itself, and asks nobody", async () => {
    const google = await startFakeRights({});
    const made = scene(google, { terms: { revoke: "none" } });
    expect(await made.endByRoom()).toMatchObject({
      word: "expires",
      detail: expect.stringMatching(/given .* ends by itself/),
    });
    expect(google.asked).toEqual([]);
  });

  it.each([
    { name: "another lease's id", change: {}, leaseId: "l-*" },
    { name: "a resource that is none", change: { resources: ["//evil.example/x"] } },
    { name: "a provider that is none", change: { provider: "projects/1/../x" } },
    { name: "a granter that is none", change: { granter: "x@evil.example/../" } },
    { name: "no granter", change: { granter: undefined } },
    { name: "an entitlement that is none", change: { entitlement: "projects/p/locations/global/entitlements/e?x" } },
    { name: "no audience", change: { audiences: [] } },
    { name: "no time", change: { boundAt: "soon" } },
    { name: "a mode that is none", change: { revoke: "maybe" } },
  ])("with $name asks nobody, and is failed for good", async ({ change, leaseId = LEASE }) => {
    const google = await startFakeRights({});
    const { undo, endByRoom } = scene(google);
    const ending = await endByRoom({ leaseId, undo: { ...undo, ...change } as EndOrder["undo"] });
    expect(ending).toMatchObject({ word: "failed", shortfall: expect.stringContaining("makes no sense") });
    expect(ending.isUnfinished).toBeUndefined();
    expect(google.asked).toEqual([]);
  });

  it("holds no secret, and names for whom tokens are needed", async () => {
    const google = await startFakeRights({});
    const { undo } = scene(google);
    expect(undo["audiences"]).toEqual([expect.stringMatching(/^https:\/\/iam\.googleapis\.com\/projects/)]);
    expect(JSON.stringify(undo)).not.toContain("canary");
  });
});

describe("secrets", () => {
  it("are in no ending, whatever Google repeats", async () => {
    const google = await startWithPolicies();
    const { open, end } = scene(google, { order: { grant: grantOf(Date.now() + 900_000) } });
    await open();
    const said = `you sent ${tokenOf(GRANTER)} and ${TOKEN}`;
    google.beforeSet = () => answersJson(400, { error: { code: 400, status: "INVALID_ARGUMENT", message: said } });
    const ending = JSON.stringify(await end());
    for (const secret of [tokenOf(GRANTER), tokenOf(ACCOUNT), TOKEN, "canary"]) expect(ending).not.toContain(secret);
  });
});

describe("the sweep", () => {
  it("takes off what has ended, on every resource of the profile, and tells what stays", async () => {
    const google = await startWithPolicies();
    const over = { ...OTHERS, condition: { title: "agentctl-l-000000000000over-1500000000", expression: "true" } };
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
    });
    expect(google.bindings("b/site")).toEqual([...FOREIGN, OTHERS]);
    expect(google.written).toHaveLength(1);
  });

  it("of a profile that gives no bindings asks nobody", async () => {
    const sweep = gcpCloud.sweep?.(gcpSettings({ entitlement: ENTITLEMENT }), endContext(), sleepingRuntime({}));
    expect(await sweep).toBeUndefined();
  });
});
