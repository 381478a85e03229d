import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { defaultWorld, type Sandbox } from "../../src/sandbox/index.js";
import { startSandbox } from "../start-sandbox.js";
import { federate, impersonate, narrow, tokenOf } from "./gcp-clients.js";
import {
  account,
  type Binding,
  BUCKET,
  bucketPolicy,
  type Caller,
  get,
  member,
  outcome,
  type Policy,
  PROJECT,
  parse,
  resourceManager,
  serviceAccountPolicy,
  tokenFor,
} from "./google-clients.js";

const FOLDER = "folders/222222222222";
const ORGANIZATION = "organizations/333333333333";
const DEMO_ACCOUNT = `projects/-/serviceAccounts/${account("demo")}`;
const OBJECT = "/storage/v1/b/other/o/private.txt";
const viewer: Binding = { role: "roles/storage.objectViewer", members: [member("jit")] };
const HOUR_MS = 3_600_000;

let sandbox: Sandbox;
let jit: Caller;
let granter: Caller;
let initial: readonly (readonly [string, readonly Binding[]])[];
beforeAll(async () => {
  sandbox = await startSandbox();
  jit = { sandbox, token: await tokenFor(sandbox, "jit") };
  granter = { sandbox, token: await tokenFor(sandbox, "agentctl-granter") };
  initial = Object.entries(sandbox.gcp.policies()).map(([holder, { bindings }]) => [holder, bindings]);
});
beforeEach(() => {
  sandbox.gcp.setPropagation(0);
  for (const [holder, bindings] of initial) sandbox.gcp.changePolicy(holder, () => bindings);
});
afterEach(() => sandbox.clock.setOffset(0));
afterAll(() => sandbox.close());

const bind = (holder: string, ...bindings: Binding[]) =>
  sandbox.gcp.changePolicy(holder, (held) => [...held, ...bindings]);
const onlyIf = (expression: string): Binding => ({ ...viewer, condition: { title: "if", expression } });
const read = async (caller = jit) => (await get(caller, `${OBJECT}?alt=media`)).status;

describe("who may do what in Cloud Storage", () => {
  it.each([
    { name: "nobody without a binding", want: 403 },
    { name: "whom the bucket binds", on: "projects/_/buckets/other", binding: viewer, want: 200 },
    { name: "whom the project binds", on: PROJECT, binding: viewer, want: 200 },
    { name: "whom the folder binds", on: FOLDER, binding: viewer, want: 200 },
    { name: "whom the organization binds", on: ORGANIZATION, binding: viewer, want: 200 },
    { name: "not whom another bucket binds", on: BUCKET, binding: viewer, want: 403 },
    {
      name: "not whom a role without the right binds",
      on: PROJECT,
      binding: { ...viewer, role: "roles/browser" },
      want: 403,
    },
    {
      name: "until a time to come",
      on: PROJECT,
      binding: onlyIf('request.time < timestamp("2999-01-01T00:00:00Z")'),
      want: 200,
    },
    {
      name: "not until a time gone by",
      on: PROJECT,
      binding: onlyIf('request.time < timestamp("2020-01-01T00:00:00Z")'),
      want: 403,
    },
    {
      name: "on the resource of a condition",
      on: PROJECT,
      binding: onlyIf(
        'resource.name.startsWith("projects/_/buckets/other/objects/") && resource.type == "storage.googleapis.com/Object"',
      ),
      want: 200,
    },
    {
      name: "not on another resource",
      on: PROJECT,
      binding: onlyIf('resource.service == "iam.googleapis.com"'),
      want: 403,
    },
  ])("$name: $want", async ({ on, binding, want }) => {
    if (on !== undefined) bind(on, binding);
    expect(await read()).toBe(want);
  });

  it("ends by itself when the condition's time has come", async () => {
    const end = new Date(Date.now() + HOUR_MS / 2).toISOString();
    bind(PROJECT, onlyIf(`request.time < timestamp("${end}")`));
    expect(await read()).toBe(200);
    sandbox.clock.setOffset(HOUR_MS / 2 + 1000, "gcs");
    expect(await read()).toBe(403);
  });

  it("is decided by a custom role as by a predefined one", async () => {
    const { gcp } = defaultWorld();
    const role = `${PROJECT}/roles/reader`;
    const own = await startSandbox({
      gcp: { ...gcp, roles: { [role]: ["storage.objects.get"] }, bindings: [{ ...viewer, role }] },
    });
    expect(await read({ sandbox: own, token: await tokenFor(own, "jit") })).toBe(200);
    await own.close();
  });
});

describe("a change of a policy", () => {
  it("counts for each service when its own delay has passed, while IAM tells it at once", async () => {
    const api = resourceManager(`/v3/${PROJECT}`);
    const asked = ["storage.objects.get", "storage.objects.create"];
    sandbox.gcp.setPropagation(60_000);
    sandbox.gcp.setPropagation(120_000, "gcs");
    expect(sandbox.gcp.propagation()).toMatchObject({ gcs: 120_000, cloudresourcemanager: 60_000 });
    const policy = parse<Policy>(await api.read(granter, 3));
    await api.write(granter, { ...policy, version: 3, bindings: [...(policy.bindings ?? []), viewer] });
    expect(parse<Policy>(await api.read(granter, 3)).bindings).toContainEqual(viewer);
    expect(parse(await api.test(jit, asked))).toEqual({});
    expect(await read()).toBe(403);
    sandbox.clock.advance(61_000);
    expect(parse(await api.test(jit, asked))).toEqual({ permissions: ["storage.objects.get"] });
    expect(await read()).toBe(403);
    sandbox.clock.advance(60_000);
    expect(await read()).toBe(200);
    // What counts goes on counting, though the delay grows; and to take it away takes its time as well.
    sandbox.gcp.setPropagation(600_000);
    sandbox.gcp.changePolicy(PROJECT, (bindings) => bindings.filter(({ role }) => role !== viewer.role));
    expect(await read()).toBe(200);
    sandbox.gcp.setPropagation(0);
    expect(await read()).toBe(403);
  });

  it("counts for a service account's tokens as well", async () => {
    const federated = await federate(sandbox);
    const ask = async () =>
      (await impersonate(sandbox, jit.token, { scope: ["https://www.googleapis.com/auth/cloud-platform"] })).status;
    expect(await ask()).toBe(403);
    bind(DEMO_ACCOUNT, { role: "roles/iam.serviceAccountTokenCreator", members: [member("jit")] });
    expect(await ask()).toBe(200);
    sandbox.gcp.changePolicy(DEMO_ACCOUNT, () => []);
    expect(
      (await impersonate(sandbox, federated, { scope: ["https://www.googleapis.com/auth/cloud-platform"] })).status,
    ).toBe(403);
  });
});

describe("testIamPermissions", () => {
  it.each([
    { name: "a project", api: resourceManager(`/v1/${PROJECT}`), permission: "resourcemanager.projects.getIamPolicy" },
    { name: "a bucket", api: bucketPolicy("demo"), permission: "storage.buckets.setIamPolicy" },
    { name: "a service account", api: serviceAccountPolicy("demo"), permission: "iam.serviceAccounts.getIamPolicy" },
  ])("on $name tells the caller its own, and refuses what is no permission", async ({ api, permission }) => {
    const family = permission.split(".").slice(0, 1);
    const asked = [permission, `${family}.things.use`];
    expect(parse(await api.test(granter, asked))["permissions"]).toEqual([permission]);
    expect(parse(await api.test(jit, asked))).not.toHaveProperty("permissions");
    const refused = outcome(await api.test(granter, [`${family}.*`]));
    expect(refused.is).toMatch(/^400/);
    expect(refused.says).toMatch(/is not valid for this resource\.$/);
  });

  it("leaves a narrowed token what its boundary leaves", async () => {
    bind("projects/_/buckets/other", { role: "roles/storage.objectUser", members: [member("jit")] });
    const rule = {
      availableResource: "//storage.googleapis.com/projects/_/buckets/other",
      availablePermissions: ["inRole:roles/storage.objectViewer"],
    };
    const token = tokenOf(await narrow(sandbox, jit.token ?? "", [rule]));
    const asked = ["storage.objects.get", "storage.objects.delete"];
    const answer = await bucketPolicy("other").test({ sandbox, token }, asked);
    expect(parse(answer)["permissions"]).toEqual(["storage.objects.get"]);
  });
});
