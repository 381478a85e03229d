import { describe, expect, it } from "vitest";
import { openGcpRights } from "../../../src/clouds/gcp/rights/open-rights.js";
import { AgentctlError } from "../../../src/core/errors.js";
import type { GrantTerms, RightsContext } from "../../../src/core/lease.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { answersJson, cutsConnection } from "../exchange/fake-service.js";
import { failureOf, grantTerms, idToken, SUBJECT, TOKEN } from "../exchange/identity.js";
import { ACCOUNT, federatedSettings, gcpSettings, POOL } from "./fake-google.js";
import {
  type FakeBinding,
  type FakeRights,
  OPEN_FAST,
  sleepingRuntime,
  startFakeRights,
  tokenOf,
} from "./fake-rights.js";

const GRANTER = "granter@my-project.iam.gserviceaccount.com";
const MEMBER = `serviceAccount:${ACCOUNT}`;
const VIEWER = "roles/storage.objectViewer";
const PROJECT = "//cloudresourcemanager.googleapis.com/projects/my-project";
const FOREIGN: readonly FakeBinding[] = [
  { role: "roles/owner", members: ["user:boss@example.com", "group:ops@example.com"] },
  {
    role: VIEWER,
    members: [MEMBER],
    condition: { title: "office hours", expression: "request.time.getHours('Europe/Berlin') < 18" },
  },
  { role: VIEWER, members: [MEMBER], condition: { title: "agentctl-of-somebody", expression: "true" } },
];
const LEASE = "l-0123456789abcdef";

function settingsFor(resource: string, overrides: Partial<GcpSettings> = {}): GcpSettings {
  return gcpSettings({ granter: { serviceAccount: GRANTER }, bindings: [{ role: VIEWER, resource }], ...overrides });
}

interface Opening {
  readonly settings?: GcpSettings;
  readonly terms?: Partial<GrantTerms>;
  readonly signal?: AbortSignal;
  readonly pace?: number;
}

function open(google: FakeRights, { settings = settingsFor(PROJECT), terms = {}, signal, pace }: Opening = {}) {
  const runtime = sleepingRuntime(google.env, pace);
  const [progress, notices]: string[][] = [[], []];
  const context: RightsContext = {
    mintToken: async ([audience = ""]) => idToken(audience),
    signal: signal ?? new AbortController().signal,
    onProgress: (text) => void progress?.push(text),
    onNotice: (text) => void notices?.push(text),
  };
  const opened = openGcpRights(settings, { ...grantTerms(900, runtime.now()), ...terms }, context, runtime, OPEN_FAST);
  return { opened, progress: progress ?? [], notices: notices ?? [], runtime };
}

function oursOf(bindings: readonly FakeBinding[], leaseId = LEASE): readonly FakeBinding[] {
  return bindings.filter(({ condition }) => condition?.title.startsWith(`agentctl-${leaseId}-`));
}

describe("giving bindings", () => {
  it.each([
    { name: "a project", resource: PROJECT, holder: "projects/my-project" },
    { name: "a folder", resource: "//cloudresourcemanager.googleapis.com/folders/222", holder: "folders/222" },
    {
      name: "an organization",
      resource: "//cloudresourcemanager.googleapis.com/organizations/333",
      holder: "organizations/333",
    },
    { name: "a bucket", resource: "//storage.googleapis.com/projects/_/buckets/site.data_1", holder: "b/site.data_1" },
    {
      name: "a service account",
      resource: `//iam.googleapis.com/projects/my-project/serviceAccounts/${ACCOUNT}`,
      holder: `projects/my-project/serviceAccounts/${ACCOUNT}`,
    },
  ])(
    "adds one with a condition to the policy of $name, by the granter, and leaves the others as they are",
    async ({ resource, holder }) => {
      const google = await startFakeRights({ [holder]: FOREIGN });
      const endsAt = Math.ceil(Date.now() / 1000) * 1000 + 900_000;
      const { opened } = open(google, { settings: settingsFor(resource), terms: { latestEndsAt: endsAt } });
      const { steps } = await opened;
      const end = new Date(endsAt).toISOString().replace(".000", "");
      expect(google.bindings(holder)).toEqual([
        ...FOREIGN,
        {
          role: VIEWER,
          members: [MEMBER],
          condition: {
            title: `agentctl-${LEASE}-${endsAt / 1000}`,
            description: `agentctl, lease ${LEASE} of profile deploy-web`,
            expression: `request.time < timestamp("${end}")`,
          },
        },
      ]);
      expect(google.written).toMatchObject([{ who: `serviceAccount:${GRANTER}`, policy: { version: 3, etag: "1" } }]);
      expect(steps.map(({ text }) => text)).toEqual([`gave ${MEMBER} ${VIEWER} on ${resource}, as ${GRANTER}`]);
    },
  );

  it("of two roles on one resource is one write", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const bindings = [VIEWER, "roles/logging.viewer", VIEWER].map((role) => ({ role, resource: PROJECT }));
    await open(google, { settings: settingsFor(PROJECT, { bindings }) }).opened;
    expect(google.bindings("projects/my-project").map(({ role }) => role)).toEqual([VIEWER, "roles/logging.viewer"]);
    expect(google.written).toHaveLength(1);
  });

  it("to a federated identity names its subject", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const settings = federatedSettings({ ...settingsFor(PROJECT) });
    await open(google, { settings }).opened;
    const member = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
    expect(google.bindings("projects/my-project")[0]?.members).toEqual([member]);
  });

  it("reads and writes all of it again when somebody else was first, with nothing of theirs lost", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN, "b/site": FOREIGN });
    const resources = [PROJECT, "//storage.googleapis.com/projects/_/buckets/site"];
    google.beforeSet = (holder, count) => {
      if (count <= 8)
        google.write(holder, (all) => [...all, { role: "roles/browser", members: [`user:u${count}@x.y`] }]);
      return undefined;
    };
    const bindings = resources.map((resource) => ({ role: VIEWER, resource }));
    await open(google, { settings: settingsFor(PROJECT, { bindings }) }).opened;
    for (const holder of ["projects/my-project", "b/site"]) {
      expect(oursOf(google.bindings(holder))).toHaveLength(1);
      expect(google.bindings(holder)).toEqual(expect.arrayContaining([...FOREIGN]));
    }
    const browsers = [...google.bindings("projects/my-project"), ...google.bindings("b/site")];
    expect(browsers.filter(({ role }) => role === "roles/browser")).toHaveLength(8);
  });

  it("of thirty leases at once, beside a foreign writer, loses nothing of anybody", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN });
    let foreign = 0;
    google.beforeSet = (holder, count) => {
      if (count % 3 !== 0) return undefined;
      foreign += 1;
      google.write(holder, (all) => [...all, { role: "roles/browser", members: [`user:u${foreign}@x.y`] }]);
      return undefined;
    };
    const leases = Array.from({ length: 30 }, (_, index) => `l-${String(index).padStart(16, "0")}`);
    const opened = leases.map((leaseId, index) => {
      const serviceAccount = `sa-${index % 3}@my-project.iam.gserviceaccount.com`;
      return open(google, { settings: settingsFor(PROJECT, { serviceAccount }), terms: { leaseId }, pace: 0.1 }).opened;
    });
    await Promise.all(opened);
    const bindings = google.bindings("projects/my-project");
    for (const leaseId of leases) expect(oursOf(bindings, leaseId)).toHaveLength(1);
    expect(bindings.filter(({ role }) => role === "roles/browser")).toHaveLength(foreign);
    expect(bindings).toEqual(expect.arrayContaining([...FOREIGN]));
  }, 30_000);

  it("gives up where others are first every time, and says so", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.beforeSet = (holder) => void google.write(holder, (all) => all) as undefined;
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({
      code: "SERVICE_FAILED",
      message: expect.stringContaining("concurrent policy changes"),
    });
    expect(google.written).toEqual([]);
  });

  it("is not done twice when the answer to the write was lost", async () => {
    const google = await startFakeRights({ "projects/my-project": FOREIGN });
    google.beforeSet = (holder, count) => {
      if (count > 1) return undefined;
      const written = JSON.parse(google.asked.at(-1)?.body ?? "") as { policy: { bindings: FakeBinding[] } };
      google.write(holder, () => written.policy.bindings);
      return cutsConnection;
    };
    const { steps } = await open(google).opened;
    expect(oursOf(google.bindings("projects/my-project"))).toHaveLength(1);
    expect(steps[0]?.text).toMatch(/already/);
  });

  it.each([
    { name: "Google's clock", aheadMs: 3_600_000 },
    { name: "one that agrees", aheadMs: 0 },
  ])("prunes ours that ended more than 300 s ago by $name, and no others", async ({ aheadMs }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.clockAheadMs = aheadMs;
    const nowSeconds = Math.floor((Date.now() + aheadMs) / 1000);
    const leaseBinding = (id: string, end: number): FakeBinding => ({
      role: VIEWER,
      members: ["serviceAccount:other@x.iam.gserviceaccount.com"],
      condition: { title: `agentctl-l-${id}-${end}`, expression: "request.time < timestamp('2026-01-01T00:00:00Z')" },
    });
    const [over, inGrace, living] = [
      leaseBinding("000000000000000a", nowSeconds - 330),
      leaseBinding("000000000000000b", nowSeconds - 270),
      leaseBinding("000000000000000c", nowSeconds + 60),
    ];
    google.write("projects/my-project", () => [...FOREIGN, over, inGrace, living]);
    const { steps } = await open(google).opened;
    expect(google.bindings("projects/my-project").slice(0, -1)).toEqual([...FOREIGN, inGrace, living]);
    expect(google.written).toHaveLength(1);
    expect(steps.map(({ text }) => text)).toContainEqual(expect.stringContaining("pruned 1 of our bindings"));
    const end = Number(oursOf(google.bindings("projects/my-project"))[0]?.condition?.title.split("-").at(-1));
    // By Google's clock, as the condition is judged.
    expect(Math.abs(end - nowSeconds - 900)).toBeLessThan(20);
  });

  it.each([
    { name: "where there are twenty with the role and the member", count: 20, words: undefined },
    {
      name: "in Google's own words",
      count: 0,
      words: "The number of different conditions (21) is larger than the maximum allowed size 20.",
    },
  ])("is BINDING_LIMIT $name", async ({ count, words }) => {
    const there = Array.from({ length: count }, (_, index) => ({
      role: VIEWER,
      members: [MEMBER, "user:a@b.c"],
      condition: { title: `c${index}`, expression: "true" },
    }));
    const google = await startFakeRights({ "projects/my-project": there });
    const refusal = { error: { code: 400, status: "INVALID_ARGUMENT", message: words } };
    google.beforeSet = () => (words === undefined ? undefined : answersJson(400, refusal));
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({ code: "BINDING_LIMIT", hint: expect.stringContaining("lease sweep --cloud") });
    expect(google.bindings("projects/my-project")).toEqual(there);
  });

  it("makes room by pruning before it counts", async () => {
    const there = Array.from({ length: 20 }, (_, index) => ({
      role: VIEWER,
      members: [MEMBER],
      condition: { title: `agentctl-l-${String(index).padStart(16, "0")}-1500000000`, expression: "true" },
    }));
    const google = await startFakeRights({ "projects/my-project": there });
    await open(google).opened;
    expect(google.bindings("projects/my-project")).toHaveLength(1);
  });

  it.each([
    { name: "that may not write the policy", status: 403, code: "PERMISSION_DENIED", hint: /setIamPolicy on/ },
    { name: "on what is not there", status: 404, code: "NOT_FOUND", hint: /there is no/ },
    { name: "of a role that fits nothing", status: 400, code: "INVALID_ARGUMENT", hint: /each role may be given/ },
  ])("is CLOUD_DENIED for a granter $name", async ({ status, code, hint }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.beforeSet = () => answersJson(status, { error: { code: status, status: code, message: "no" } });
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({ code: "CLOUD_DENIED", hint: expect.stringMatching(hint) });
  });

  it("is CLOUD_DENIED where the granter cannot be impersonated, and names its key", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.refuseToBe = GRANTER;
    const error = await failureOf(open(google).opened);
    expect(error).toMatchObject({ code: "CLOUD_DENIED", hint: expect.stringContaining(GRANTER) });
  });

  it("waits for every write that is under way before it fails", async () => {
    const google = await startFakeRights({ "projects/my-project": [], "b/site": [] });
    const stop = new AbortController();
    google.beforeSet = () => {
      stop.abort(new AgentctlError("INTERRUPTED", "enough"));
      return undefined;
    };
    const bindings = [{ role: VIEWER, resource: PROJECT }];
    const ready = { permissions: ["storage.objects.get"], timeoutSeconds: 10 };
    const settings = settingsFor(PROJECT, { bindings, ready });
    expect(await failureOf(open(google, { settings, signal: stop.signal }).opened)).toMatchObject({
      code: "INTERRUPTED",
    });
    expect(oursOf(google.bindings("projects/my-project"))).toHaveLength(1);
  });
});

describe("ready", () => {
  const ready = { permissions: ["storage.objects.get", "storage.objects.list"], timeoutSeconds: 60 };

  it("waits until the lease's own principal has all of it three times in a row", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const seen: string[] = [];
    google.granted = (_holder, who, count) => {
      seen.push(who);
      const lacking = [1, 2, 5];
      return lacking.includes(count) ? ["storage.objects.get"] : ready.permissions;
    };
    const { opened, progress } = open(google, { settings: settingsFor(PROJECT, { ready }) });
    const { steps } = await opened;
    expect(seen).toEqual(Array.from({ length: 8 }, () => MEMBER));
    expect(progress).toContainEqual(expect.stringMatching(/^waiting for storage.objects.list on .* \(\d/));
    expect(steps.at(-1)?.text).toMatch(/work for/);
  });

  it.each([
    { name: "is not granted", granted: () => ["storage.objects.get"], said: /without storage.objects.list$/ },
    {
      name: "is refused",
      granted: () => answersJson(403, { error: { code: 403, status: "PERMISSION_DENIED", message: "not you" } }),
      said: /not you/,
    },
  ])("is NOT_READY, with what is missing, where it $name in time", async ({ granted, said }) => {
    const google = await startFakeRights({ "projects/my-project": [] });
    google.granted = granted;
    const error = await failureOf(open(google, { settings: settingsFor(PROJECT, { ready }) }).opened);
    expect(error).toMatchObject({ code: "NOT_READY", message: expect.stringMatching(said) });
    expect(error.message).toContain("within 1m");
  });

  it("is tried where it says", async () => {
    const google = await startFakeRights({ "projects/my-project": [], "b/site": [] });
    google.granted = (holder) => (holder === "b/site" ? ready.permissions : []);
    const at = "//storage.googleapis.com/projects/_/buckets/site";
    await open(google, { settings: settingsFor(PROJECT, { ready: { ...ready, at } }) }).opened;
    expect(
      google.asked.filter(({ path }) => path.includes("/testPermissions?permissions=storage.objects.get")),
    ).toHaveLength(3);
  });
});

describe("an entitlement", () => {
  const entitlement = "projects/my-project/locations/global/entitlements/deploy";
  const settings = gcpSettings({ entitlement });

  it("is asked for by the lease's own principal, once, and waited for", async () => {
    const google = await startFakeRights(
      {},
      { states: ["APPROVAL_AWAITED", "APPROVAL_AWAITED", "SCHEDULED", "ACTIVE"] },
    );
    const { opened, notices } = open(google, { settings });
    const { steps } = await opened;
    expect(google.pam.grants).toMatchObject([
      {
        requester: MEMBER,
        // No grant is shorter.
        requestedDuration: "1800s",
        justification: { unstructuredJustification: `agentctl lease ${LEASE} of profile deploy-web` },
        requestId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      },
    ]);
    expect(notices).toEqual([expect.stringContaining("approve")]);
    expect(steps.at(-1)?.text).toMatch(/is active/);
    await open(google, { settings }).opened;
    expect(google.pam.grants).toHaveLength(1);
  });

  it("lasts as long as the lease may", async () => {
    const google = await startFakeRights({});
    const { runtime, opened } = open(google, { settings, terms: { latestEndsAt: Date.now() + 7_200_500 } });
    await opened;
    expect(runtime.now()).toBeGreaterThan(0);
    expect(Number.parseInt(google.pam.grants[0]?.requestedDuration ?? "", 10)).toBeGreaterThan(7_195);
  });

  it("of another lease is waited for, with a line that says whose", async () => {
    const google = await startFakeRights({});
    await open(google, { settings, terms: { leaseId: "l-00000000000other" } }).opened;
    const first = google.pam.grants[0];
    if (first !== undefined) first.auditTrail = { accessGrantTime: "2026-11-22T10:00:00Z" };
    const { opened, notices, progress } = open(google, { settings });
    while (progress.length === 0) await new Promise((resolve) => setImmediate(resolve));
    if (first !== undefined) first.state = "ENDED";
    await opened;
    expect(notices).toEqual([
      `Google Cloud: lease l-00000000000other has ${entitlement}, until 2026-11-22T10:30:00Z at the latest; waiting`,
    ]);
    expect(google.pam.grants).toHaveLength(2);
  });

  it("of another lease that does not end is ASSIGNMENT_BUSY", async () => {
    const google = await startFakeRights({});
    await open(google, { settings, terms: { leaseId: "l-00000000000other" } }).opened;
    const error = await failureOf(open(google, { settings }).opened);
    expect(error).toMatchObject({ code: "ASSIGNMENT_BUSY", message: expect.stringContaining("l-00000000000other") });
  });

  it.each([
    { name: "that is denied", states: ["APPROVAL_AWAITED", "DENIED"], want: "CLOUD_DENIED" },
    { name: "that cannot be activated", states: ["ACTIVATING", "ACTIVATION_FAILED"], want: "CLOUD_DENIED" },
    { name: "that nobody approves in time", states: ["APPROVAL_AWAITED"], want: "NOT_READY" },
    { name: "that takes too long", states: ["ACTIVATING"], want: "NOT_READY" },
  ])("$name is $want", async ({ states, want }) => {
    const google = await startFakeRights({}, { states });
    expect(await failureOf(open(google, { settings }).opened)).toMatchObject({ code: want });
  });
});

describe("secrets", () => {
  it("are in no step, no line and no error, whatever Google repeats", async () => {
    const google = await startFakeRights({ "projects/my-project": [] });
    const said = `you sent ${tokenOf(GRANTER)} and ${TOKEN}`;
    google.beforeSet = () => answersJson(400, { error: { code: 400, status: "INVALID_ARGUMENT", message: said } });
    const { opened, progress, notices } = open(google);
    const error = await failureOf(opened);
    const all = JSON.stringify([error.message, error.hint, error.facts, progress, notices]);
    for (const secret of [tokenOf(GRANTER), TOKEN, "canary"]) expect(all).not.toContain(secret);
  });
});
