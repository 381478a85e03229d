import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import {
  account,
  type Binding,
  bucketPolicy,
  type Caller,
  member,
  outcome,
  type Policy,
  PROJECT,
  parse,
  post,
  resourceManager,
  tokenFor,
} from "./google-clients.js";

const POOL = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/demo-pool";
const until = { title: "until 2030", expression: 'request.time < timestamp("2030-01-01T00:00:00Z")' };

let sandbox: Sandbox;
let granter: Caller;
let initial: readonly Binding[];
beforeAll(async () => {
  const { gcp } = defaultWorld();
  const old = { objects: {}, bindings: [], hasUniformAccess: false };
  sandbox = await startSandbox({ gcp: { ...gcp, buckets: { ...gcp.buckets, old } } });
  granter = { sandbox, token: await tokenFor(sandbox, "agentctl-granter") };
  initial = sandbox.gcp.policyOf(PROJECT).bindings;
});
beforeEach(() => {
  sandbox.gcp.changePolicy(PROJECT, () => initial);
});
afterAll(() => sandbox.close());

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
    { name: "somebody deleted", bindings: [{ role, members: ["deleted:user:a@example.com?uid=1"] }] },
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
    {
      name: "somebody deleted beside who has the same name now",
      bindings: [{ role, members: [jit, `deleted:${jit}?uid=1`] }],
      says: /^Inconsistent representation of deleted member: 'deleted:serviceAccount:jit@/,
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
    { name: "a field of Cloud Storage's", policy: { kind: "storage#policy" } as Policy, says: /^Invalid JSON .*kind/ },
  ];

  it.each(ok)("is not refused for $name", async ({ bindings }) => {
    const api = resourceManager(`/v3/${PROJECT}`);
    const before = parse<Policy>(await api.read(granter, 3));
    const all = [...(before.bindings ?? []), ...bindings];
    expect(outcome(await api.write(granter, { ...before, version: 3, bindings: all }))).toEqual({ is: "200" });
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

describe("a service account's policy", () => {
  it.each([
    { name: "is read with nothing in the body", body: {}, is: "200" },
    { name: "is refused to who asks in the body", body: { options: { requestedPolicyVersion: 3 } }, is: "400" },
  ])("$name", async ({ body, is }) => {
    const path = `/v1/projects/-/serviceAccounts/${encodeURIComponent(account("demo"))}:getIamPolicy`;
    expect(outcome(await post(granter, path, body)).is).toMatch(new RegExp(`^${is}`));
  });
});

describe("a bucket without uniform access", () => {
  const binding = { role: "roles/storage.objectViewer", members: [member("jit")] };
  it.each([
    { name: "takes no condition", bindings: [{ ...binding, condition: until }], is: "412 conditionNotMet" },
    { name: "takes what has none", bindings: [binding], is: "200" },
  ])("$name", async ({ bindings, is }) => {
    const api = bucketPolicy("old");
    const before = parse<Policy>(await api.read(granter, 3));
    expect(outcome(await api.write(granter, { ...before, version: 3, bindings })).is).toBe(is);
  });
});
