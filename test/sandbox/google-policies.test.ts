import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { createForeignWriter } from "./foreign-writer.js";
import {
  type Binding,
  BUCKET,
  bucketPolicy,
  type Caller,
  member,
  outcome,
  type Policy,
  type PolicyApi,
  PROJECT,
  parse,
  resourceManager,
  serviceAccountPolicy,
  tokenFor,
} from "./google-clients.js";

const FOLDER = "folders/222222222222";
const ORGANIZATION = "organizations/333333333333";
const SECURITY = [{ role: "roles/iam.securityAdmin", members: [member("agentctl-granter")] }];
const POOL = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo-pool";
const UNTIL = 'request.time < timestamp("2030-01-01T00:00:00Z")';
const until = { title: "until 2030", description: "for a test", expression: UNTIL };

let sandbox: Sandbox;
let granter: Caller;
let initial: readonly (readonly [string, readonly Binding[]])[];
beforeAll(async () => {
  const { gcp } = defaultWorld();
  sandbox = await startSandbox({ gcp: { ...gcp, ancestors: { [FOLDER]: [], [ORGANIZATION]: SECURITY } } });
  granter = { sandbox, token: await tokenFor(sandbox, "agentctl-granter") };
  initial = Object.entries(sandbox.gcp.policies()).map(([holder, { bindings }]) => [holder, bindings]);
});
beforeEach(() => {
  for (const [holder, bindings] of initial) sandbox.gcp.changePolicy(holder, () => bindings);
});
afterAll(() => sandbox.close());

const HOLDERS: readonly { name: string; holder: string; api: PolicyApi; role: string; conflict: string }[] = [
  ...["/v1/projects/agentctl-demo", "/v3/projects/agentctl-demo", "/v3/projects/123456789012"].map((path) => ({
    name: `a project by ${path}`,
    holder: PROJECT,
    api: resourceManager(path),
    role: "roles/storage.objectViewer",
    conflict: "409 ABORTED",
  })),
  {
    name: "a folder",
    holder: FOLDER,
    api: resourceManager(`/v3/${FOLDER}`),
    role: "roles/storage.objectViewer",
    conflict: "409 ABORTED",
  },
  {
    name: "an organization",
    holder: ORGANIZATION,
    api: resourceManager(`/v3/${ORGANIZATION}`),
    role: "roles/storage.objectViewer",
    conflict: "409 ABORTED",
  },
  {
    name: "a bucket",
    holder: BUCKET,
    api: bucketPolicy("demo"),
    role: "roles/storage.objectViewer",
    conflict: "412 conditionNotMet",
  },
  {
    name: "a service account",
    holder: `projects/-/serviceAccounts/${member("demo").slice("serviceAccount:".length)}`,
    api: serviceAccountPolicy("demo"),
    role: "roles/iam.serviceAccountTokenCreator",
    conflict: "409 ABORTED",
  },
];

async function add(api: PolicyApi, binding: Binding, changes: Policy = {}) {
  const policy = parse<Policy>(await api.read(granter, 3));
  const bindings = [...(policy.bindings ?? []), binding];
  return api.write(granter, { ...policy, version: 3, bindings, ...changes });
}

describe.each(HOLDERS)("the policy of $name", ({ holder, api, role, conflict }) => {
  const given = { role, members: [member("jit")], condition: until };

  it("is read, changed with its etag, and read again", async () => {
    const before = parse<Policy>(await api.read(granter, 3));
    expect(before.version ?? 1).toBe(1);
    const written = await add(api, given);
    expect(outcome(written)).toEqual({ is: "200" });
    const { bindings, etag, version } = parse<Policy>(written);
    expect([version, etag]).toEqual([3, sandbox.gcp.policyOf(holder).etag]);
    expect(etag).not.toBe(before.etag);
    expect(bindings).toContainEqual(given);
    expect(bindings).toEqual(expect.arrayContaining([...(before.bindings ?? [])]));
    expect(parse(await api.read(granter, 3))).toMatchObject({ version: 3, etag, bindings });
  });

  it("is not written over what somebody else wrote meanwhile", async () => {
    const before = parse<Policy>(await api.read(granter, 3));
    const foreign = { role, members: ["user:foreign@example.com"] };
    sandbox.gcp.changePolicy(holder, (bindings) => [...bindings, foreign]);
    const late = await api.write(granter, { ...before, version: 3, bindings: [...(before.bindings ?? []), given] });
    expect(outcome(late).is).toBe(conflict);
    expect(sandbox.gcp.policyOf(holder).bindings).toContainEqual(foreign);
  });

  it("hides conditions from a reader of an older version, who cannot write it either", async () => {
    await add(api, given);
    const old = parse<Policy>(await api.read(granter));
    expect(old.version).toBe(1);
    expect(old.bindings).toContainEqual({
      role: expect.stringMatching(new RegExp(`^${role.replace(".", "\\.")}_withcond_[0-9a-f]{20}$`)),
      members: [member("jit")],
    });
    const kept = (old.bindings ?? []).filter((binding) => !binding.role.includes("_withcond_"));
    const refused = outcome(await api.write(granter, { ...old, bindings: kept }));
    expect(refused.is).toMatch(/^400 (INVALID_ARGUMENT|invalid)$/);
    expect(refused.says).toMatch(
      /^Specified policy version \(1\) cannot be less than the existing policy version \(3\)/,
    );
    const marked = outcome(await api.write(granter, { ...old, version: 3 }));
    expect(marked.says).toMatch(/^Role roles\/\S+_withcond_\w+ is not supported for this resource\.$/);
    expect(sandbox.gcp.policyOf(holder).bindings).toContainEqual(given);
  });

  it("is kept with each role, condition and member once, and none without members", async () => {
    const members = [member("jit"), member("demo"), member("jit")];
    const twice: Binding[] = [
      { role, members, condition: until },
      { role, members: [member("demo")], condition: { ...until } },
      { role, members: [], condition: { ...until, title: "nobody" } },
      { role, members: [member("demo")], condition: { ...until, title: "another" } },
    ];
    const { etag } = parse<Policy>(await api.read(granter, 3));
    const written = await api.write(granter, { version: 3, ...(etag && { etag }), bindings: twice });
    expect(parse<Policy>(written).bindings).toEqual([
      { role, members: [member("demo")], condition: { ...until, title: "another" } },
      { role, members: [member("demo"), member("jit")], condition: until },
    ]);
  });
});

describe("a policy that is refused", () => {
  const role = "roles/storage.objectViewer";
  const jit = member("jit");
  const conditions = (count: number): Binding[] =>
    Array.from({ length: count }, (_, index) => ({
      role,
      members: [jit],
      condition: { ...until, title: `number ${index}` },
    }));
  const users = (count: number, kind = "user") =>
    Array.from({ length: count }, (_, index) => `${kind}:somebody-${index}@example.com`);
  const onlyIf = (expression: string): Binding[] => [{ role, members: [jit], condition: { title: "if", expression } }];
  const ok: { name: string; bindings: Binding[]; policy?: Policy; bucket?: boolean }[] = [
    { name: "twenty conditions", bindings: conditions(20) },
    { name: "1,499 more members", bindings: [{ role: "roles/browser", members: users(1499) }] },
    { name: "a federated principal", bindings: [{ role, members: [`principal:${POOL}/subject/a:b`] }] },
    { name: "a set of principals", bindings: [{ role, members: [`principalSet:${POOL}/attribute.repository/a/b`] }] },
    { name: "a role of the project's own", bindings: [{ role: `${PROJECT}/roles/agentctlGranter`, members: [jit] }] },
    { name: "twelve operators", bindings: onlyIf(Array(13).fill("true").join(" && ")) },
    { name: "operators in a text", bindings: onlyIf(`resource.name == "${"&&".repeat(13)}"`) },
  ];
  const rows: { name: string; bindings?: Binding[]; policy?: Policy; bucket?: boolean; says: RegExp; is?: string }[] = [
    {
      name: "a condition in version 1",
      bindings: conditions(1),
      policy: { version: 1 },
      says: /^Specified policy version/,
    },
    { name: "a version that is none", policy: { version: 2 }, says: /^Invalid policy version \(2\)/ },
    {
      name: "a role that is none",
      bindings: [{ role: "roles/king", members: [jit] }],
      says: /^Role roles\/king is not/,
    },
    {
      name: "a role of another project",
      bindings: [{ role: "projects/other/roles/agentctlGranter", members: [jit] }],
      says: /is not supported for this resource/,
    },
    {
      name: "a bucket's role on a project",
      bindings: [{ role: "roles/storage.legacyObjectReader", members: [jit] }],
      says: /is not supported for this resource/,
    },
    { name: "a member without a type", bindings: [{ role, members: ["jit"] }], says: /is of an unknown type/ },
    { name: "a member without a domain", bindings: [{ role, members: ["user:jit"] }], says: /^Invalid principal/ },
    {
      name: "a pool by its name alone",
      bindings: [{ role, members: ["principalSet://iam.googleapis.com/demo-pool/*"] }],
      says: /^Invalid principal/,
    },
    {
      name: "a service account that is not there",
      bindings: [{ role, members: [member("gone")] }],
      says: /^Service account gone@agentctl-demo\.iam\.gserviceaccount\.com does not exist\.$/,
    },
    { name: "everybody", bindings: [{ role, members: ["allUsers"] }], says: /^Principals of type allUsers/ },
    {
      name: "everybody on a bucket",
      bucket: true,
      bindings: [{ role, members: ["allUsers"] }],
      says: /public access prevention is enforced/,
      is: "412 conditionNotMet",
    },
    {
      name: "a condition on a basic role",
      bindings: [{ role: "roles/viewer", members: [jit], condition: until }],
      says: /^Conditions can't be set on primitive roles/,
    },
    {
      name: "a condition without a title",
      bindings: [{ role, members: [jit], condition: { ...until, title: "" } }],
      says: /title/,
    },
    { name: "no expression", bindings: onlyIf("request.time <"), says: /^Condition expression compilation failed/ },
    { name: "an unknown attribute", bindings: onlyIf('user.name == "x"'), says: /^Condition expression compilation/ },
    { name: "an expression of no truth", bindings: onlyIf("resource.name"), says: /^Condition expression compilation/ },
    {
      name: "thirteen operators",
      bindings: onlyIf(Array(14).fill("true").join(" && ")),
      says: /operators in the condition \(13\)/,
    },
    {
      name: "the twenty-first condition for a role and a member",
      bindings: conditions(21),
      says: /for role roles\/storage\.objectViewer and member serviceAccount:jit@\S+ \(21\) .* maximum allowed size 20\.$/,
    },
    {
      name: "the 1,501st member",
      bindings: [{ role: "roles/browser", members: users(1500) }],
      says: /^The number of members in the policy \(1,501\) is larger than the maximum allowed size 1,500\.$/,
    },
    {
      name: "the 251st group",
      bindings: [{ role: "roles/browser", members: users(251, "group") }],
      says: /groups in the policy \(251\)/,
    },
    { name: "an unknown field", policy: { bindngs: [] } as Policy, says: /^Invalid JSON payload received\..*bindngs/ },
  ];

  it.each(ok)("is not refused for $name", async ({ bindings }) => {
    for (const binding of bindings.slice(0, -1)) sandbox.gcp.changePolicy(PROJECT, (held) => [...held, binding]);
    const last = bindings.at(-1);
    const written = last && (await add(resourceManager(`/v3/${PROJECT}`), last));
    expect(written && outcome(written)).toEqual({ is: "200" });
  });

  it.each(rows)("is refused for $name", async ({ bindings = [], policy = {}, bucket, says, is }) => {
    const api = bucket === true ? bucketPolicy("demo") : resourceManager(`/v3/${PROJECT}`);
    const before = parse<Policy>(await api.read(granter, 3));
    const all = [...(before.bindings ?? []), ...bindings];
    const refused = outcome(await api.write(granter, { ...before, version: 3, bindings: all, ...policy }));
    expect(refused.says).toMatch(says);
    expect(refused.is).toBe(is ?? "400 INVALID_ARGUMENT");
  });
});

describe("a write without an etag", () => {
  it("overwrites whatever was there, as Google says it does", async () => {
    const api = bucketPolicy("demo");
    await add(api, { role: "roles/storage.objectViewer", members: [member("jit")], condition: until });
    const blind = await api.write(granter, { bindings: [{ role: "roles/storage.admin", members: [member("demo")] }] });
    expect(parse(blind)).toMatchObject({ version: 1, kind: "storage#policy", resourceId: BUCKET });
    expect(sandbox.gcp.policyOf(BUCKET).bindings).toEqual([{ role: "roles/storage.admin", members: [member("demo")] }]);
  });
});

describe("a policy that a foreign writer keeps changing", () => {
  it("loses nothing to one who reads, changes and writes with the etag, again where that was late", async () => {
    const api = resourceManager(`/v3/${PROJECT}`);
    const foreign = createForeignWriter(sandbox, PROJECT);
    const outcomes: number[] = [];
    for (const attempt of Array(24).keys()) {
      const policy = parse<Policy>(await api.read(granter, 3));
      if (attempt % 2 === 0) foreign.write();
      const condition = { ...until, title: `ours ${attempt}` };
      const ours = { role: "roles/browser", members: [member("jit")], condition };
      const bindings = [...(policy.bindings ?? []), ours];
      outcomes.push((await api.write(granter, { ...policy, version: 3, bindings })).status);
    }
    expect(outcomes).toEqual(Array(12).fill([409, 200]).flat());
    expect(foreign.lost()).toEqual([]);
    const kept = sandbox.gcp.policyOf(PROJECT).bindings.filter(({ condition }) => condition?.title.startsWith("ours"));
    expect(kept).toHaveLength(12);
  });

  it("shows what a blind write takes from it", async () => {
    const foreign = createForeignWriter(sandbox, PROJECT);
    foreign.start(5);
    await vi.waitFor(() => expect(foreign.writes()).toBeGreaterThan(2));
    foreign.stop();
    expect(foreign.lost()).toEqual([]);
    await resourceManager(`/v3/${PROJECT}`).write(granter, { bindings: [] });
    expect(foreign.lost()).toHaveLength(foreign.writes());
  });
});
