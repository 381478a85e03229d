import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gcpCloud } from "../../../src/clouds/gcp/index.js";
import type { GcpSettings } from "../../../src/core/profile.js";
import { DEMO_POOL, defaultGcp } from "../../../src/sandbox/gcp/world.js";
import type { Sandbox } from "../../../src/sandbox/index.js";
import { account, member } from "../../sandbox/google-clients.js";
import { startSandbox } from "../../start-sandbox.js";
import { failureOf, grantTerms } from "../exchange/identity.js";
import { hintsOf, linesOf, roomAt } from "../sandbox-room.js";

const VIEWER = "roles/storage.objectViewer";
const LOGS = "roles/logging.viewer";
const CUSTOM = "projects/agentctl-demo/roles/agentctlGranter";
const PROJECT = "//cloudresourcemanager.googleapis.com/projects/agentctl-demo";
const FOLDER = "//cloudresourcemanager.googleapis.com/folders/222222222222";
const bucket = (name: string) => `//storage.googleapis.com/projects/_/buckets/${name}`;
const entitlement = (name: string) => `projects/agentctl-demo/locations/global/entitlements/${name}`;
const [JIT, GRANTER, READER] = [account("jit"), account("agentctl-granter"), account("demo")];
const HOUR = 3_600;
const UNTRIED = "which roles a condition lets it give is not tried";

let sandbox: Sandbox;
beforeAll(async () => {
  const world = defaultGcp();
  const crowded = Array.from({ length: 20 }, (_one, index) => ({
    role: VIEWER,
    members: [member("jit")],
    condition: { title: `for ${index}`, expression: `request.time < timestamp("2099-01-01T00:00:${10 + index}Z")` },
  }));
  const brief = { maxRequestSeconds: HOUR, eligibleUsers: [member("jit")], roles: [{ role: VIEWER }] };
  sandbox = await startSandbox({
    gcp: {
      ...world,
      // The second reads policies and writes none.
      bindings: [...world.bindings, { role: "roles/iam.securityReviewer", members: [member("demo")] }],
      buckets: { ...world.buckets, crowded: { objects: {}, bindings: crowded } },
      entitlements: {
        ...world.entitlements,
        [entitlement("brief")]: brief,
        [entitlement("approved")]: { ...brief, approval: "manual" },
        [entitlement("theirs")]: { ...brief, eligibleUsers: [member("demo")] },
      },
    },
  });
});
afterAll(() => sandbox.close());

function settingsOf(overrides: Partial<GcpSettings>): GcpSettings {
  return {
    workloadIdentityProvider: `${DEMO_POOL}/providers/github`,
    serviceAccount: JIT,
    scopes: ["https://www.googleapis.com/auth/cloud-platform"],
    accessBoundary: [],
    granter: { serviceAccount: GRANTER },
    bindings: [],
    metadata: false,
    ...overrides,
  };
}

async function look(overrides: Partial<GcpSettings>, ttlSeconds = 900) {
  const { runtime, context } = roomAt(sandbox);
  const terms = grantTerms(ttlSeconds, runtime.now());
  return (await gcpCloud.lookAtRights?.(settingsOf(overrides), terms, context, runtime)) ?? [];
}

const given = (role: string, resource: string) => ({ bindings: [{ role, resource }] });

describe("what is looked at before roles are given", () => {
  it.each([
    { name: "a bucket", overrides: given(VIEWER, bucket("demo")), where: bucket("demo"), role: VIEWER },
    { name: "a project", overrides: given(LOGS, PROJECT), where: PROJECT, role: LOGS },
  ])("of $name: the policy, who may write it, and the role", async ({ overrides, where, role }) => {
    expect(linesOf(await look(overrides))).toEqual([
      `ok ${GRANTER} may read and write the policy of ${where}; ${UNTRIED}`,
      `ok ${role} can be given on ${where}`,
    ]);
  });

  it.each([
    {
      name: "a role that is misspelt",
      overrides: given("roles/storage.objectVeiwer", bucket("demo")),
      want: `fail CONFIG_INVALID Google does not list roles/storage.objectVeiwer among the roles that can be given on ${bucket("demo")}`,
      hint: /^check gcp\.bindings: the role may be misspelt/,
    },
    {
      name: "a role that is for something else",
      overrides: given(LOGS, bucket("demo")),
      want: `fail CONFIG_INVALID Google does not list ${LOGS} among the roles that can be given on ${bucket("demo")}`,
      hint: /or not for that kind of resource/,
    },
    {
      name: "a bucket that is not there",
      overrides: given(VIEWER, bucket("nowhere")),
      want: /^fail CLOUD_DENIED Google's Cloud Storage refused storage\.buckets\.getIamPolicy on .*nowhere to .*does not exist/,
      hint: /^check gcp\.bindings: there is no .*nowhere$/,
    },
    {
      name: "a granter that may not read",
      overrides: given(VIEWER, FOLDER),
      want: /^fail CLOUD_DENIED Google's Resource Manager refused resourcemanager\.folders\.getIamPolicy on .*PERMISSION_DENIED/,
      hint: /needs resourcemanager\.folders\.getIamPolicy and resourcemanager\.folders\.setIamPolicy .*agentctl setup gcp writes that$/,
    },
    {
      name: "a granter that may not write",
      overrides: { ...given(VIEWER, bucket("other")), granter: { serviceAccount: READER } },
      want: `fail CLOUD_DENIED ${READER} may read the policy of ${bucket("other")} and not write it: testIamPermissions does not grant it storage.buckets.setIamPolicy`,
      hint: /needs storage\.buckets\.getIamPolicy and storage\.buckets\.setIamPolicy .*agentctl setup gcp writes that$/,
    },
    {
      name: "a granter that is not there",
      overrides: { ...given(VIEWER, bucket("demo")), granter: { serviceAccount: account("nobody") } },
      want: /^fail CLOUD_DENIED Google's IAM Credentials refused .*nobody@/,
      hint: /^check gcp\.granter/,
    },
    {
      name: "a policy that is full",
      overrides: given(VIEWER, bucket("crowded")),
      want: /^fail BINDING_LIMIT .*crowded holds 20 bindings of roles\/storage\.objectViewer/,
      hint: /^let leases end first/,
    },
  ])("$name is told in the words of a run", async ({ overrides, want, hint }) => {
    const sights = await look(overrides);
    const wrong = linesOf(sights).filter((line) => !line.startsWith("ok "));
    expect(wrong).toEqual([typeof want === "string" ? want : expect.stringMatching(want)]);
    expect(hintsOf(sights)).toEqual([expect.stringMatching(hint)]);
  });

  it("each resource by itself", async () => {
    const bindings = [bucket("nowhere"), bucket("demo")].map((resource) => ({ role: VIEWER, resource }));
    const ready = { permissions: ["storage.objects.get"], at: bucket("demo"), timeoutSeconds: 60 };
    expect((await look({ bindings, ready })).map(({ status }) => status)).toEqual(["fail", "ok", "ok"]);
  });

  it("permissions of ready that there are not are told, and such as are there before", async () => {
    const ready = (permission: string) => ({ ready: { permissions: [permission], timeoutSeconds: 60 } });
    const where = given(VIEWER, bucket("demo"));
    const unknown = await look({ ...where, ...ready("compute.instances.get") });
    expect(linesOf(unknown).at(-1)).toMatch(/^fail CLOUD_DENIED Google's Cloud Storage refused testIamPermissions on /);
    expect(hintsOf(unknown)).toEqual([expect.stringMatching(/^check gcp\.ready/)]);
    expect(linesOf(await look({ ...where, ...ready("storage.objects.get") }))).toHaveLength(2);
    const before = await look({ ...where, ...ready("storage.objects.get"), serviceAccount: account("demo") });
    expect(linesOf(before).at(-1)).toBe(
      `note storage.objects.get on ${bucket("demo")} works before anything is given: gcp.ready cannot tell when it does`,
    );
  });

  it("a custom role is not told of, which is said", async () => {
    expect(linesOf(await look(given(CUSTOM, bucket("demo"))))).toContain(
      `note whether ${CUSTOM} can be given on ${bucket("demo")} is not told`,
    );
  });

  it("a list of roles that Google does not give is no failure, since no run asks for it", async () => {
    sandbox.faults.add({ service: "gcp-iam", kind: "deny", operation: "QueryGrantableRoles" });
    try {
      const lines = linesOf(await look(given(VIEWER, bucket("demo"))));
      expect(lines[0]).toMatch(/^ok .* may read and write/);
      expect(lines.slice(1)).toEqual([
        expect.stringMatching(/^note whether roles\/storage\.objectViewer can be given on .* is not tried: /),
      ]);
    } finally {
      sandbox.faults.clear();
    }
  });

  it("a token that is refused is the only failure", async () => {
    const { runtime, context } = roomAt(sandbox);
    const settings = settingsOf({ ...given(VIEWER, PROJECT), audiences: ["elsewhere"] });
    const looked = gcpCloud.lookAtRights?.(settings, grantTerms(900, runtime.now()), context, runtime);
    expect(await failureOf(looked ?? Promise.resolve())).toMatchObject({ code: "CLOUD_DENIED" });
  });

  it("nothing is written, asked for or given", async () => {
    const before = JSON.stringify(sandbox.gcp.policies());
    const from = sandbox.requests().length;
    await look({ ...given(VIEWER, bucket("demo")), entitlement: entitlement("brief"), ready: READY });
    expect(JSON.stringify(sandbox.gcp.policies())).toBe(before);
    expect(sandbox.gcp.grants()).toEqual([]);
    const asked = new Set(
      sandbox
        .requests()
        .slice(from)
        .map(({ operation }) => operation),
    );
    expect([...asked].filter((operation) => /^(set|create|revoke|delete|insert|update)/i.test(operation))).toEqual([]);
  });
});

const READY = { permissions: ["storage.objects.get"], at: bucket("demo"), timeoutSeconds: 300 };

describe("what is looked at before an entitlement is asked for", () => {
  it("that it may be asked for, for how long, and that the granter may end it", async () => {
    expect(linesOf(await look({ entitlement: entitlement("brief"), ready: READY }))).toEqual([
      `ok ${GRANTER} may read, list and revoke the grants of ${entitlement("brief")}`,
      `ok ${JIT} may ask for ${entitlement("brief")}, for 1h at the most`,
    ]);
  });

  it("without a granter the requester alone is asked", async () => {
    const { granter: _granter, ...rest } = settingsOf({ entitlement: entitlement("brief"), ready: READY });
    const { runtime, context } = roomAt(sandbox);
    const sights = await gcpCloud.lookAtRights?.(rest, grantTerms(900, runtime.now()), context, runtime);
    expect(linesOf(sights ?? [])).toEqual([`ok ${JIT} may ask for ${entitlement("brief")}, for 1h at the most`]);
  });

  it.each([
    { name: "one that is not there", of: "nowhere" },
    { name: "one that is others'", of: "theirs" },
  ])("$name is not shown", async ({ of }) => {
    const sights = await look({ entitlement: entitlement(of), ready: READY });
    expect(linesOf(sights).at(-1)).toBe(
      `fail CLOUD_DENIED Google does not show ${entitlement(of)} among what ${JIT} may ask for: it is not there, or ${JIT} is not among its requesters`,
    );
    expect(hintsOf(sights)).toEqual([expect.stringMatching(/^check gcp\.entitlement, and that jit@.* requesters/)]);
  });

  it.each([
    { ttl: HOUR, want: "ok" },
    { ttl: HOUR + 1, want: "fail" },
    { ttl: 60, want: "ok" },
  ])("one of an hour, for a lease of at most $ttl s: $want", async ({ ttl, want }) => {
    const sights = await look({ entitlement: entitlement("brief"), ready: READY }, ttl);
    expect(sights.at(-1)?.status).toBe(want);
    if (want === "ok") return;
    expect(linesOf(sights).at(-1)).toMatch(/brief is given for 1h at the most, and a run asks for 1h1s: its ttl/);
    expect(hintsOf(sights)[0]).toMatch(/^shorten the ttl/);
  });

  it("one that has to be approved says so", async () => {
    expect(linesOf(await look({ entitlement: entitlement("approved"), ready: READY }))).toContain(
      `note a grant of ${entitlement("approved")} waits for approval: a run waits for it, 5m at the most`,
    );
  });

  it("a granter that may not end grants is a warning, since whoever asked for one can withdraw it", async () => {
    const of = (serviceAccount: string) =>
      look({ entitlement: entitlement("brief"), ready: READY, granter: { serviceAccount } });
    expect((await of(account("nobody"))).map(({ status }) => status)).toEqual(["warn", "ok"]);
    const sights = await of(READER);
    expect(linesOf(sights)[0]).toMatch(
      /^warn CLOUD_DENIED demo@.* may not end the grants of .*\.get, .*\.list, .*\.revoke; .*jit@.* would have to withdraw/,
    );
    expect(hintsOf(sights)).toEqual([expect.stringMatching(/^give demo@.* privilegedaccessmanager\.grants\.get/)]);
  });
});
